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
        if not duplicate["same_content"]:
            raise
        return duplicate["existing"]["version_id"]
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


def manifest(version):
    return {"publisher": "acme", "name": NAME, "version": version, "runtime": "python-3"}


with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    print("published:", publish(connection, manifest("1.0.0"), "a" * 64))
    print("published again:", publish(connection, manifest("1.0.0"), "a" * 64))
    try:
        publish(connection, manifest("1.0.0"), "b" * 64)
        sys.exit("other content was published under the same number")
    except psycopg.errors.UniqueViolation as error:
        duplicate = json.loads(error.diag.message_detail)
        print(f"raised: {type(error).__module__}.{type(error).__name__}")
        print("sqlstate:", error.sqlstate)
        print("constraint:", error.diag.constraint_name)
        print("message:", error.diag.message_primary)
        print("code:", duplicate["code"])
        print("existing:", duplicate["existing"]["version_id"])
        print("same content:", duplicate["same_content"])
    print("published:", publish(connection, manifest("1.0.*"), "b" * 64))
    for version, content_hash, installed, bundles, *_ in versions(connection, NAME, "berlin"):
        print("listed:", version, content_hash, installed, bundles)
