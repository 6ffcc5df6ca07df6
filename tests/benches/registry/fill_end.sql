-- Puts back what fill_begin.sql took away.
DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN SELECT back FROM put_back ORDER BY turn DESC LOOP
        EXECUTE statement;
    END LOOP;
END $$;

DROP TABLE put_back;
RESET session_replication_role;
RESET synchronous_commit;
