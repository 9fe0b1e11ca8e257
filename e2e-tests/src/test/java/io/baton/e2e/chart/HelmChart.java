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
        try {
            Path file = Files.createTempFile("values", ".yaml");
            try {
                Files.writeString(file, values);
                return parse(new Helm(WITH_HOOKS)
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
