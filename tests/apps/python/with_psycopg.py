"""Publishes and lists with psycopg 3."""

# README: begin
import json

import psycopg
from psycopg.types.json import Jsonb


def publish(connection, manifest, content_hash):
    """The id of the published version, also where an earlier try has published it and its answer got lost."""
    try:
        with connection.transaction():
            row = connection.execute(
                "SELECT version_id FROM ext_finalize_version(%s, %s)", [Jsonb(manifest), content_hash]
            ).fetchone()
        return str(row[0])
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name != "extension_version_registry_id_version_unique":
            raise
        duplicate = json.loads(error.diag.message_detail)
        if not all(duplicate[same] for same in ("same_content", "same_manifest", "same_signature")):
            raise
        return duplicate["existing"]["version_id"]


EARLIER = """
    SELECT version_id FROM ext_list_versions(%s)
    WHERE content_hash = %s AND rtrim(version, '0123456789') = rtrim(%s, '0123456789') AND version_id <> %s
    """


def publish_next(connection, manifest, content_hash):
    """The same for MAJOR.MINOR.*: the id of the version with this content, published by an earlier try or now."""
    with connection.transaction() as transaction:
        row = connection.execute(
            "SELECT extension_id, content_hash, version, version_id FROM ext_finalize_version(%s, %s)",
            [Jsonb(manifest), content_hash],
        ).fetchone()
        # Not before: publishing waits for an earlier try that has not ended yet.
        earlier = connection.execute(EARLIER, row).fetchone()
        if earlier:
            raise psycopg.Rollback(transaction)
    return str(earlier[0] if earlier else row[3])
# README: end


import sys


def versions(connection, name, tenant):
    """Every version, newest first, in pages of two."""
    sql = """
        SELECT version, content_hash, installed, bundle_count, published_at, version_id
        FROM ext_list_versions(ext_extension_id('acme', %s), %s)
        """
    page = connection.execute(sql + "LIMIT 2", [name, tenant]).fetchall()
    while page:
        yield from page
        published_at, version_id = page[-1][4:]
        page = connection.execute(
            sql + "WHERE (published_at, version_id) < (%s, %s) LIMIT 2", [name, tenant, published_at, version_id]
        ).fetchall()


NAME = "psycopg"


def manifest(version, capabilities=()):
    return {
        "publisher": "acme",
        "name": NAME,
        "version": version,
        "runtime": "python-3",
        "capabilities": list(capabilities),
    }


with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    print("published:", publish(connection, manifest("1.0.0"), "a" * 64))
    print("published again:", publish(connection, manifest("1.0.0"), "a" * 64))
    for other, content_hash in [(manifest("1.0.0"), "b" * 64), (manifest("1.0.0", ["net"]), "a" * 64)]:
        try:
            publish(connection, other, content_hash)
            sys.exit("something else was published under the same number")
        except psycopg.errors.UniqueViolation as error:
            duplicate = json.loads(error.diag.message_detail)
            print(f"raised: {type(error).__module__}.{type(error).__name__}")
            print("sqlstate:", error.sqlstate)
            print("constraint:", error.diag.constraint_name)
            print("message:", error.diag.message_primary)
            print("code:", duplicate["code"])
            print("existing:", duplicate["existing"]["version_id"])
            print("same content:", duplicate["same_content"])
            print("same manifest:", duplicate["same_manifest"])
    print("published:", publish_next(connection, manifest("1.0.*"), "b" * 64))
    print("published again:", publish_next(connection, manifest("1.0.*"), "b" * 64))
    for version, content_hash, installed, bundles, *_ in versions(connection, NAME, "berlin"):
        print("listed:", version, content_hash, installed, bundles)
