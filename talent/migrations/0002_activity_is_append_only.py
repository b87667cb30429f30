"""An event is written once: the database refuses to change or delete it.

Erasure of a person's data is the one exception; it declares itself for its transaction with
``SET LOCAL greenroom.erasing = 'on'``.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION talent_activity_is_append_only() RETURNS trigger AS $$
BEGIN
    IF current_setting('greenroom.erasing', true) = 'on' THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    RAISE EXCEPTION 'activity is append-only' USING ERRCODE = 'integrity_constraint_violation';
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER talent_activity_append_only BEFORE UPDATE OR DELETE ON talent_activity
    FOR EACH ROW EXECUTE FUNCTION talent_activity_is_append_only();
"""
BACKWARD = """
DROP TRIGGER talent_activity_append_only ON talent_activity;
DROP FUNCTION talent_activity_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("talent", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
