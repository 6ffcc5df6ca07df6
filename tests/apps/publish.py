"""Publishes with psycopg: a new version, the same again after a "lost" answer, other content under its number."""

import sys

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


manifest = {"publisher": "acme", "name": "psycopg", "version": "1.0.0", "runtime": "python-3"}
with psycopg.connect(sys.argv[1]) as connection:
    published = publish(connection, manifest, "a" * 64)
    assert publish(connection, manifest, "a" * 64) == published
    try:
        publish(connection, manifest, "b" * 64)
    except psycopg.errors.UniqueViolation as error:
        print(error.diag.message_primary)
