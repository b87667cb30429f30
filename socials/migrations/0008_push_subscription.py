import talent.encryption
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("socials", "0007_connection_attention"),
    ]

    operations = [
        migrations.CreateModel(
            name="PushSubscription",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("channel_id", models.CharField(max_length=120, unique=True)),
                (
                    "secret",
                    talent.encryption.SecretField(help_text="Signs what the hub sends."),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("asked", "Asked"), ("active", "Active"), ("denied", "Denied")],
                        default="asked",
                        max_length=8,
                    ),
                ),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ask_at",
                    models.DateTimeField(db_index=True, help_text="When the hub is asked (again)."),
                ),
                (
                    "refusals",
                    models.PositiveSmallIntegerField(default=0, help_text="In a row."),
                ),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("notified_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "db_table": "socials_push_subscription",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "active"), _negated=True),
                            ("lease_expires_at__isnull", False),
                            _connector="OR",
                        ),
                        name="push_active_means_leased",
                    )
                ],
            },
        ),
    ]
