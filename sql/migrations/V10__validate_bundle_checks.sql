-- Adopted rows pass by their mark. VALIDATE lets readers and writers go on.
ALTER TABLE @schema@.extension_bundle VALIDATE CONSTRAINT extension_bundle_content_hash_check;
ALTER TABLE @schema@.extension_bundle VALIDATE CONSTRAINT extension_bundle_size_bytes_check;
