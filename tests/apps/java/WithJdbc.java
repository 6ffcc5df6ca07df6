// Publishes and lists with JDBC: pgJDBC for the database, Jackson for JSON.

import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.UUID;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

class WithJdbc {
    // README: begin
    static final ObjectMapper JSON = new ObjectMapper();

    /** The id of the published version, also where an earlier try has published it and its answer got lost. */
    static UUID publish(Connection connection, JsonNode manifest, String contentHash)
            throws SQLException, IOException {
        String sql = "SELECT version_id FROM ext_finalize_version(?::jsonb, ?)";
        try (var statement = connection.prepareStatement(sql)) {
            statement.setString(1, manifest.toString());
            statement.setString(2, contentHash);
            try (var rows = statement.executeQuery()) {
                rows.next();
                return rows.getObject("version_id", UUID.class);
            }
        } catch (PSQLException error) {
            ServerErrorMessage said = error.getServerErrorMessage();
            if (said == null || !"extension_version_registry_id_version_unique".equals(said.getConstraint())) throw error;
            JsonNode duplicate = JSON.readTree(said.getDetail());
            if (!duplicate.get("same_content").asBoolean()) throw error;
            return UUID.fromString(duplicate.at("/existing/version_id").asText());
        }
    }
    // README: end

    /** Prints every version, newest first, in pages of two. */
    static void list(Connection connection, String name, String tenant) throws SQLException {
        String sql = "SELECT * FROM ext_list_versions(ext_extension_id('acme', ?), ?) ";
        String behind = "WHERE (published_at, version_id) < (?, ?) ";
        OffsetDateTime publishedAt = null;
        UUID versionId = null;
        boolean more = true;
        while (more) {
            more = false;
            try (var statement = connection.prepareStatement(sql + (versionId == null ? "" : behind) + "LIMIT 2")) {
                statement.setString(1, name);
                statement.setString(2, tenant);
                if (versionId != null) {
                    statement.setObject(3, publishedAt);
                    statement.setObject(4, versionId);
                }
                try (var rows = statement.executeQuery()) {
                    while (rows.next()) {
                        more = true;
                        publishedAt = rows.getObject("published_at", OffsetDateTime.class);
                        versionId = rows.getObject("version_id", UUID.class);
                        System.out.printf("listed: %s %s %b %d%n", rows.getString("version"),
                                rows.getString("content_hash"), rows.getBoolean("installed"),
                                rows.getInt("bundle_count"));
                    }
                }
            }
        }
    }

    static final String NAME = "jdbc";

    static JsonNode manifest(String version) {
        return JSON.createObjectNode().put("publisher", "acme").put("name", NAME)
                .put("version", version).put("runtime", "java-17");
    }

    public static void main(String[] arguments) throws Exception {
        try (var connection = DriverManager.getConnection(arguments[0])) {
            System.out.println("published: " + publish(connection, manifest("1.0.0"), "a".repeat(64)));
            System.out.println("published again: " + publish(connection, manifest("1.0.0"), "a".repeat(64)));
            try {
                publish(connection, manifest("1.0.0"), "b".repeat(64));
                throw new IllegalStateException("other content was published under the same number");
            } catch (PSQLException error) {
                ServerErrorMessage said = error.getServerErrorMessage();
                JsonNode duplicate = JSON.readTree(said.getDetail());
                System.out.println("raised: " + error.getClass().getName());
                System.out.println("sqlstate: " + error.getSQLState());
                System.out.println("constraint: " + said.getConstraint());
                System.out.println("message: " + said.getMessage());
                System.out.println("code: " + duplicate.get("code").asText());
                System.out.println("existing: " + duplicate.at("/existing/version_id").asText());
                System.out.println("same content: " + duplicate.get("same_content"));
            }
            System.out.println("published: " + publish(connection, manifest("1.0.*"), "b".repeat(64)));
            list(connection, NAME, "berlin");
        }
    }
}
