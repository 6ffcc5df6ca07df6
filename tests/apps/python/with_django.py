"""Publishes and lists with Django 5 on psycopg 3."""

import json
import sys
from urllib.parse import urlsplit

import django
from django.conf import settings

url = urlsplit(sys.argv[1])
settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": url.hostname,
            "PORT": url.port,
            "USER": url.username,
            "NAME": url.path.removeprefix("/"),
        }
    },
    USE_TZ=True,
)
django.setup()

from django.db import IntegrityError, connection, models, transaction


class Version(models.Model):
    """A row of the list. There is no such table, and no migration makes one."""

    version_id = models.UUIDField(primary_key=True)
    version = models.TextField()
    published_at = models.DateTimeField(null=True)
    content_hash = models.TextField(null=True)
    installed = models.BooleanField()
    bundle_count = models.IntegerField()

    class Meta:
        app_label = "registry"
        managed = False


def publish(manifest, content_hash):
    """The id of the published version, also where an earlier try has published it and its answer got lost."""
    try:
        # Inside of another atomic block, as in a view with ATOMIC_REQUESTS, this is a savepoint.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT version_id FROM ext_finalize_version(%s, %s)", [json.dumps(manifest), content_hash]
            )
            return cursor.fetchone()[0]
    except IntegrityError as error:
        if error.__cause__.diag.constraint_name != "extension_version_registry_id_version_unique":
            raise
        duplicate = json.loads(error.__cause__.diag.message_detail)
        if not all(duplicate[same] for same in ("same_content", "same_manifest", "same_signature")):
            raise
        return duplicate["existing"]["version_id"]


EARLIER = """
    SELECT version_id FROM ext_list_versions(%s)
    WHERE content_hash = %s AND rtrim(version, '0123456789') = rtrim(%s, '0123456789') AND version_id <> %s
    """


def publish_next(manifest, content_hash):
    """The same for MAJOR.MINOR.*: the id of the version with this content, published by an earlier try or now."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT extension_id, content_hash, version, version_id FROM ext_finalize_version(%s, %s)",
            [json.dumps(manifest), content_hash],
        )
        row = cursor.fetchone()
        # Not before: publishing waits for an earlier try that has not ended yet.
        cursor.execute(EARLIER, row)
        earlier = cursor.fetchone()
        if earlier:
            transaction.set_rollback(True)
    return earlier[0] if earlier else row[3]


def versions(name, tenant):
    """Every version, newest first, in pages of two."""
    sql = "SELECT * FROM ext_list_versions(ext_extension_id('acme', %s), %s)"
    page = list(Version.objects.raw(sql + " LIMIT 2", [name, tenant]))
    while page:
        yield from page
        behind = [page[-1].published_at, page[-1].version_id]
        page = list(
            Version.objects.raw(
                sql + " WHERE (published_at, version_id) < (%s, %s) LIMIT 2", [name, tenant, *behind]
            )
        )


NAME = "django"


def manifest(version, capabilities=()):
    return {
        "publisher": "acme",
        "name": NAME,
        "version": version,
        "runtime": "python-3",
        "capabilities": list(capabilities),
    }


with transaction.atomic():
    print("published:", publish(manifest("1.0.0"), "a" * 64))
    print("published again:", publish(manifest("1.0.0"), "a" * 64))
    for other, content_hash in [(manifest("1.0.0"), "b" * 64), (manifest("1.0.0", ["net"]), "a" * 64)]:
        try:
            publish(other, content_hash)
            sys.exit("something else was published under the same number")
        except IntegrityError as error:
            duplicate = json.loads(error.__cause__.diag.message_detail)
            print(f"raised: {type(error).__module__}.{type(error).__name__}")
            print("sqlstate:", error.__cause__.sqlstate)
            print("constraint:", error.__cause__.diag.constraint_name)
            print("message:", error.__cause__.diag.message_primary)
            print("code:", duplicate["code"])
            print("existing:", duplicate["existing"]["version_id"])
            print("same content:", duplicate["same_content"])
            print("same manifest:", duplicate["same_manifest"])
    print("published:", publish_next(manifest("1.0.*"), "b" * 64))
    print("published again:", publish_next(manifest("1.0.*"), "b" * 64))
for row in versions(NAME, "berlin"):
    print("listed:", row.version, row.content_hash, row.installed, row.bundle_count)
