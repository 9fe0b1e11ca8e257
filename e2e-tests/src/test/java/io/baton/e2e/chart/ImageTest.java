package io.baton.e2e.chart;

import static io.baton.e2e.chart.HelmChart.arguments;
import static io.baton.e2e.chart.HelmChart.container;
import static io.baton.e2e.chart.HelmChart.object;
import static io.baton.e2e.chart.HelmChart.pod;
import static io.baton.e2e.chart.HelmChart.render;
import static io.baton.e2e.chart.HelmChart.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** What is in the image that the build makes, and that the chart starts just that. */
@TestInstance(Lifecycle.PER_CLASS)
class ImageTest {

    private static final Path TARGET =
            Path.of("..", "cli", "target").toAbsolutePath().normalize();
    private static final Path TAR = TARGET.resolve("image-without-base.tar");

    private ImageTar image;

    @BeforeAll
    void read() throws IOException {
        assumeTrue(Files.exists(TAR), "mvn verify builds the image, in a phase that mvn test does not reach");
        image = ImageTar.read(TAR);
    }

    @Test
    void theEntryPointIsTheJvmOfTheCommandWithTheFlagsThatEveryJvmOfOursHas() {
        List<String> entry = strings(image.config().at("/Entrypoint"));
        List<String> flags = ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> flag.startsWith("--"))
                .toList();
        assertThat(flags).isNotEmpty();
        assertThat(entry.getFirst()).isEqualTo("java");
        assertThat(entry.subList(1, 1 + flags.size())).containsExactlyInAnyOrderElementsOf(flags);
        assertThat(entry.subList(1 + flags.size(), entry.size()))
                .containsExactly("-cp", "@/app/jib-classpath-file", "io.baton.cli.Baton");
        assertThat(image.config().path("Cmd").isEmpty())
                .as("the role is an argument")
                .isTrue();
    }

    @Test
    void itRunsAsNobodyAndSaysWhatItIs() {
        assertThat(text(image.config(), "/User")).isEqualTo("65532:65532");
        assertThat(ports()).containsExactlyInAnyOrder("7070/tcp", "7071/tcp", "9464/tcp");
        assertThat(text(image.config(), "/Labels/org.opencontainers.image.title"))
                .isEqualTo("Baton");
        assertThat(text(image.config(), "/Labels/org.opencontainers.image.licenses"))
                .isEqualTo("Apache-2.0");
        assertThat(image.names())
                .containsExactly("baton:" + text(image.config(), "/Labels/org.opencontainers.image.version"));
    }

    @Test
    void whatOthersWroteLiesBelowWhatChangesWithEveryBuild() {
        List<Set<String>> jars = image.layers().stream()
                .map(layer -> layer.keySet().stream()
                        .filter(path -> path.endsWith(".jar"))
                        .collect(Collectors.toSet()))
                .filter(layer -> !layer.isEmpty())
                .toList();
        assertThat(jars).hasSizeGreaterThan(1);
        assertThat(jars.getFirst()).hasSizeGreaterThan(20).noneMatch(ImageTest::isOurs);
        assertThat(jars.subList(1, jars.size()).stream().flatMap(Set::stream)).allMatch(ImageTest::isOurs);
    }

    @Test
    void itHoldsWhatTheLauncherRunsFromAndNothingElse() throws IOException {
        Set<String> jars = image.files().keySet().stream()
                .filter(path -> path.endsWith(".jar"))
                .map(ImageTest::fileName)
                .collect(Collectors.toSet());
        try (Stream<Path> dist = Files.list(TARGET.resolve("dist/lib"))) {
            assertThat(jars)
                    .containsExactlyInAnyOrderElementsOf(
                            dist.map(path -> String.valueOf(path.getFileName())).toList());
        }
        assertThat(image.files().keySet())
                .allMatch(path -> path.endsWith(".jar") || path.matches("/?app/jib-(classpath|main-class)-file"));
    }

    @Test
    void itsFilesRun(@TempDir Path root) throws Exception {
        for (Map.Entry<String, byte[]> file : image.files().entrySet()) {
            Path path = root.resolve(file.getKey().replaceFirst("^/", ""));
            Files.createDirectories(Objects.requireNonNull(path.getParent()));
            Files.write(path, file.getValue());
        }
        Path classPath = root.resolve("app/jib-classpath-file");
        String here = Files.readString(classPath).replace("/app/", root.resolve("app") + "/");
        Files.writeString(classPath, here);
        List<String> command = new ArrayList<>(strings(image.config().at("/Entrypoint")));
        command.set(0, ProcessHandle.current().info().command().orElseThrow());
        command.replaceAll(word -> word.replace("@/app/", "@" + root.resolve("app") + "/"));
        command.add("--version");
        Process process = new ProcessBuilder(command).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(out.strip()).isEqualTo(image.names().getFirst().replace(':', ' '));
    }

    @Test
    void theChartStartsThisImageByDefault() {
        List<JsonNode> objects = render("{}");
        for (String role : List.of("gateway", "prefill", "decode")) {
            JsonNode container = container(objects, role);
            assertThat(text(container, "/image")).isEqualTo(image.names().getFirst());
            assertThat(container.has("command"))
                    .as("the image's own entry point")
                    .isFalse();
            assertThat(arguments(container).getFirst()).isEqualTo(role);
            assertThat(container
                            .at("/ports")
                            .valueStream()
                            .map(port -> port.at("/containerPort").asInt() + "/tcp"))
                    .containsExactlyInAnyOrderElementsOf(ports());
            JsonNode security = pod(objects, role).at("/spec/securityContext");
            assertThat(security.at("/runAsUser").asInt() + ":"
                            + security.at("/runAsGroup").asInt())
                    .isEqualTo(text(image.config(), "/User"));
        }
        JsonNode test = object(objects, "Pod", "demo-baton-test").at("/spec/containers/0");
        assertThat(text(test, "/image")).isEqualTo(image.names().getFirst());
        assertThat(test.has("command")).isFalse();
        assertThat(arguments(test).getFirst()).isEqualTo("generate");
    }

    private List<String> ports() {
        return image.config()
                .at("/ExposedPorts")
                .propertyStream()
                .map(Map.Entry::getKey)
                .toList();
    }

    private static List<String> strings(JsonNode array) {
        return array.valueStream().map(JsonNode::asString).toList();
    }

    private static boolean isOurs(String jar) {
        return fileName(jar).startsWith("baton-");
    }

    private static String fileName(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }
}
