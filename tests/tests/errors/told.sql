-- What GET STACKED DIAGNOSTICS says of the error of a statement, without the values that differ from run to run.
CREATE FUNCTION public.told(statement text) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path = public
AS $function$
DECLARE
    code text; message text; detail text; hint text; context text;
    schema_ text; table_ text; column_ text; datatype text; constraint_ text;
    called text := 'SQL statement "' || statement || '"' || E'\n';
BEGIN
    EXECUTE statement;
    RETURN '{"sqlstate": "00000"}';
EXCEPTION WHEN query_canceled OR OTHERS THEN
    GET STACKED DIAGNOSTICS
        code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT,
        context = PG_EXCEPTION_CONTEXT, schema_ = SCHEMA_NAME, table_ = TABLE_NAME, column_ = COLUMN_NAME,
        datatype = PG_DATATYPE_NAME, constraint_ = CONSTRAINT_NAME;
    context := regexp_replace(context, '\(\d+,\d+\)', '(tuple)', 'g');
    detail := regexp_replace(detail, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'uuid', 'g');
    detail := regexp_replace(detail, '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]*[+-]\d\d', 'time', 'g');
    RETURN jsonb_build_object(
        'sqlstate', code, 'message', message, 'detail', detail, 'hint', hint, 'schema', schema_, 'table', table_,
        'column', column_, 'datatype', datatype, 'constraint', constraint_,
        -- Before the line about the statement itself, and after it.
        'inner', split_part(context, called, 1), 'outer', split_part(context, called, 2));
END
$function$;
