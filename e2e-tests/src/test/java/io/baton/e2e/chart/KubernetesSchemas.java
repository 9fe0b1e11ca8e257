package io.baton.e2e.chart;

import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.dialect.Dialect;
import com.networknt.schema.dialect.Dialects;
import com.networknt.schema.keyword.Keyword;
import com.networknt.schema.keyword.NonValidationKeyword;
import io.baton.testing.SharedFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Strict JSON Schemas of Kubernetes resources: an unknown field is an error, as a typo should be. They are those of the
 * shared test data, and of ours what is not among these.
 */
final class KubernetesSchemas {

    private final Path folder;
    private final SchemaRegistry registry = SchemaRegistry.withDialect(Dialect.builder(Dialects.getDraft202012())
            .keywords(Stream.of("map-type", "int-or-string", "list-type", "list-map-keys")
                    .<Keyword>map(name -> new NonValidationKeyword("x-kubernetes-" + name))
                    .toList())
            .build());
    private final Map<Path, Schema> loaded = new HashMap<>();

    private KubernetesSchemas(Path folder) {
        this.folder = folder;
    }

    /** The schemas of the shared test data, when that is at hand. */
    static Optional<KubernetesSchemas> find() {
        return SharedFiles.find("data/k8s").map(KubernetesSchemas::new);
    }

    /** What is wrong with an object; empty for a good one. Throws when there is no schema for its kind. */
    List<String> complaints(JsonNode object) {
        return schema(object).validate(object).stream().map(Error::toString).toList();
    }

    private Schema schema(JsonNode object) {
        return loaded.computeIfAbsent(file(object), file -> {
            try {
                return registry.getSchema(JsonMapper.shared().readTree(Files.exists(file) ? read(file) : own(file)));
            } catch (IOException e) {
                throw new UncheckedIOException("no schema for " + HelmChart.text(object, "/kind"), e);
            }
        });
    }

    private static byte[] read(Path file) throws IOException {
        return Files.readAllBytes(file);
    }

    private static byte[] own(Path file) throws IOException {
        try (InputStream resource = KubernetesSchemas.class.getResourceAsStream(String.valueOf(file.getFileName()))) {
            if (resource == null) {
                throw new NoSuchFileException(file.toString());
            }
            return resource.readAllBytes();
        }
    }

    /** {@code apps/v1 Deployment} is deployment-apps-v1.json; groups with many dots are in folders of their own. */
    private Path file(JsonNode object) {
        String kind = HelmChart.text(object, "/kind").toLowerCase(Locale.ROOT);
        String apiVersion = HelmChart.text(object, "/apiVersion");
        int slash = apiVersion.indexOf('/');
        String group = slash < 0 ? "" : apiVersion.substring(0, slash);
        String version = apiVersion.substring(slash + 1);
        if (!group.contains(".") || group.endsWith(".k8s.io")) {
            int dot = group.indexOf('.');
            String stem = dot < 0 ? group : group.substring(0, dot);
            return folder.resolve(
                    "standalone-strict-1.32", kind + (stem.isEmpty() ? "" : "-" + stem) + "-" + version + ".json");
        }
        return folder.resolve("crd-schemas", group, kind + "_" + version + ".json");
    }
}
