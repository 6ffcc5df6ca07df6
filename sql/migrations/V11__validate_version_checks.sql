ALTER TABLE @schema@.extension_version VALIDATE CONSTRAINT extension_version_created_at_check;
