"""The activity log can't be emptied at one stroke either: TRUNCATE passes by the rows' trigger."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER talent_activity_not_emptied BEFORE TRUNCATE ON talent_activity
    FOR EACH STATEMENT EXECUTE FUNCTION talent_activity_is_append_only();
"""
BACKWARD = "DROP TRIGGER talent_activity_not_emptied ON talent_activity;"


class Migration(migrations.Migration):
    dependencies = [("talent", "0004_second_factor")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
