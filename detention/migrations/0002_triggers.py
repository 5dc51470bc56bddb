from django.db import migrations

from detention.triggers import Install


class Migration(migrations.Migration):
    dependencies = [("detention", "0001_initial")]
    operations = [Install("detention")]
