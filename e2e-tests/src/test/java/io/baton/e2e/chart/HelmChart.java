package io.baton.e2e.chart;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The chart in this repository, rendered as a release called {@code demo} in the namespace {@code llm}. */
final class HelmChart {

    static final String NAMESPACE = "llm";
    private static final Path CHART =
            Path.of("..", "helm", "baton").toAbsolutePath().normalize();
    private static final Path WITH_HOOKS =
            copyWithPlainHooks(Path.of("target", "chart-with-hooks").toAbsolutePath());
    private static final Path NOTES =
            copyWithNotes(Path.of("target", "chart-with-notes").toAbsolutePath());
    private static final JsonMapper JSON = JsonMapper.shared();

    private HelmChart() {}

    static LintResult lint() {
        return new Helm(CHART).lint().strict().call();
    }

    /**
     * The objects that a cluster would get with these values (YAML); Helm's complaint is an
     * {@link IllegalStateException}.
     */
    static List<JsonNode> render(String values) {
        return render(values, WITH_HOOKS);
    }

    private static List<JsonNode> render(String values, Path chart) {
        try {
            Path file = Files.createTempFile("values", ".yaml");
            try {
                Files.writeString(file, values);
                return parse(new Helm(chart)
                        .template()
                        .withName("demo")
                        .withNamespace(NAMESPACE)
                        .withKubeVersion("1.32.0")
                        .withValuesFile(file)
                        .call());
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static JsonNode values() {
        return parse(read("values.yaml")).getFirst();
    }

    static JsonNode valuesSchema() {
        return JSON.readTree(read("values.schema.json"));
    }

    /** What a {@code $ref} of the values' schema stands for; anything else stands for itself. */
    static JsonNode resolved(JsonNode schema) {
        String reference = text(schema, "/$ref");
        return reference.isEmpty() ? schema : valuesSchema().at(reference.substring(1));
    }

    static String read(String file) {
        try {
            return Files.readString(CHART.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What Helm says after an installation. */
    static String notes(String values) {
        return text(object(render(values, NOTES), "Notes", "notes"), "/text");
    }

    /** Rendering leaves hooks out; without their mark they are objects like any other. */
    private static Path copyWithPlainHooks(Path copy) {
        try (Stream<Path> files = Files.walk(CHART)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path target = copy.resolve(CHART.relativize(file));
                Files.createDirectories(Objects.requireNonNull(target.getParent()));
                Files.writeString(target, Files.readString(file).replace("helm.sh/hook", "example.com/hook"));
            }
            return copy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Rendering leaves the notes out; as the text of an object they are rendered like any other. */
    private static Path copyWithNotes(Path copy) {
        copyWithPlainHooks(copy);
        try {
            Files.writeString(
                    copy.resolve("templates/_notes.tpl"),
                    "{{- define \"notes\" }}\n" + read("templates/NOTES.txt") + "\n{{- end }}\n");
            Files.writeString(
                    copy.resolve("templates/notes.yaml"),
                    "kind: Notes\nmetadata: {name: notes}\ntext: |\n  {{- include \"notes\" . | nindent 2 }}\n");
            return copy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<JsonNode> parse(String yaml) {
        List<JsonNode> objects = new ArrayList<>();
        for (Object document : new Load(LoadSettings.builder().build()).loadAllFromString(yaml)) {
            if (document != null) {
                objects.add(JSON.valueToTree(document));
            }
        }
        return objects;
    }

    static JsonNode object(List<JsonNode> objects, String kind, String name) {
        return objects.stream()
                .filter(object -> text(object, "/kind").equals(kind)
                        && text(object, "/metadata/name").equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no %s %s was rendered".formatted(kind, name)));
    }

    /** The pod template of a role. */
    static JsonNode pod(List<JsonNode> objects, String role) {
        return object(objects, role.equals("gateway") ? "Deployment" : "StatefulSet", "demo-baton-" + role)
                .at("/spec/template");
    }

    static JsonNode container(List<JsonNode> objects, String role) {
        return pod(objects, role).at("/spec/containers/0");
    }

    static List<String> arguments(JsonNode container) {
        return container.at("/args").valueStream().map(JsonNode::asString).toList();
    }

    static String text(JsonNode object, String pointer) {
        return object.at(pointer).asString("");
    }
}
