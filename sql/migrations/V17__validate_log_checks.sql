-- Proves for the rows that exist what V16 asks of new ones. Readers and publishers go on meanwhile; a seal waits.
ALTER TABLE @schema@.extension_log_leaf VALIDATE CONSTRAINT extension_log_leaf_index_check;
ALTER TABLE @schema@.extension_log_tile VALIDATE CONSTRAINT extension_log_tile_place_check;
ALTER TABLE @schema@.extension_log_checkpoint VALIDATE CONSTRAINT extension_log_checkpoint_time_check;
ALTER TABLE @schema@.extension_log_signature VALIDATE CONSTRAINT extension_log_signature_length_check;
