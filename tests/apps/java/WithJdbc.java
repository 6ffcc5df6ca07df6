// Publishes and lists with JDBC: pgJDBC for the database, Jackson for JSON.

import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.UUID;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
            for (String same : List.of("same_content", "same_manifest", "same_signature")) {
                if (!duplicate.get(same).asBoolean()) throw error;
            }
            return UUID.fromString(duplicate.at("/existing/version_id").asText());
        }
    }

    static final String EARLIER = """
            SELECT version_id FROM ext_list_versions(?)
            WHERE content_hash = ? AND rtrim(version, '0123456789') = rtrim(?, '0123456789') AND version_id <> ?
            """;

    /** The same for MAJOR.MINOR.*: the id of the version with this content, published by an earlier try or now. */
    static UUID publishNext(Connection connection, JsonNode manifest, String contentHash) throws SQLException {
        connection.setAutoCommit(false);
        try (var statement = connection.prepareStatement("SELECT * FROM ext_finalize_version(?::jsonb, ?)");
                var earlier = connection.prepareStatement(EARLIER)) {
            statement.setString(1, manifest.toString());
            statement.setString(2, contentHash);
            var published = statement.executeQuery();
            published.next();
            earlier.setObject(1, published.getObject("extension_id"));
            earlier.setString(2, published.getString("content_hash"));
            earlier.setString(3, published.getString("version"));
            earlier.setObject(4, published.getObject("version_id"));
            // Not before: publishing waits for an earlier try that has not ended yet.
            var rows = earlier.executeQuery();
            if (!rows.next()) {
                connection.commit();
                return published.getObject("version_id", UUID.class);
            }
            return rows.getObject("version_id", UUID.class);
        } finally {
            connection.rollback();
            connection.setAutoCommit(true);
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

    static ObjectNode manifest(String version) {
        return JSON.createObjectNode().put("publisher", "acme").put("name", NAME)
                .put("version", version).put("runtime", "java-17");
    }

    /** Tries to publish 1.0.0 once more, and prints the answer. */
    static void publishSomethingElse(Connection connection, JsonNode manifest, String contentHash) throws Exception {
        try {
            publish(connection, manifest, contentHash);
            throw new IllegalStateException("something else was published under the same number");
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
            System.out.println("same manifest: " + duplicate.get("same_manifest"));
        }
    }

    public static void main(String[] arguments) throws Exception {
        try (var connection = DriverManager.getConnection(arguments[0])) {
            System.out.println("published: " + publish(connection, manifest("1.0.0"), "a".repeat(64)));
            System.out.println("published again: " + publish(connection, manifest("1.0.0"), "a".repeat(64)));
            publishSomethingElse(connection, manifest("1.0.0"), "b".repeat(64));
            ObjectNode other = manifest("1.0.0");
            other.putArray("capabilities").add("net");
            publishSomethingElse(connection, other, "a".repeat(64));
            System.out.println("published: " + publishNext(connection, manifest("1.0.*"), "b".repeat(64)));
            System.out.println("published again: " + publishNext(connection, manifest("1.0.*"), "b".repeat(64)));
            list(connection, NAME, "berlin");
        }
    }
}
