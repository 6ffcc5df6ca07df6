//! Manifest, version and content hash: the pure logic of `ext_registry`.
