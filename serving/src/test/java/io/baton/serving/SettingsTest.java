package io.baton.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTest {

    enum Kernels {
        AUTO,
        VECTOR_API
    }

    private static final Setting<Integer> CHUNK = Setting.integer("chunk-tokens", "prompt tokens per chunk")
            .withDefault("256")
            .checked(n -> n > 0, "at least 1");
    private static final Setting<Optional<Long>> POOL =
            Setting.bytes("pool-bytes", "size of the pool").optional();
    private static final Setting<Duration> LIMIT =
            Setting.duration("drain-limit", "time to finish").withDefault("30s");
    private static final Setting<List<String>> NODES = Setting.list("prefill-nodes", "where to prefill");
    private static final Setting<Kernels> KERNELS =
            Setting.oneOf("kernels", Kernels.class, "which kernels").withDefault("auto");
    private static final Setting<Path> MODEL = Setting.path("model", "model file");
    private static final Setting<Optional<String>> CLUSTER_KEY =
            Setting.text("cluster-key", "key of the cluster").secret().optional();
    private static final List<Setting<?>> KNOWN = List.of(CHUNK, POOL, LIMIT, NODES, KERNELS, MODEL, CLUSTER_KEY);

    @TempDir
    Path folder;

    @Test
    void flagsWinOverEnvironmentOverFileOverDefaults() throws IOException {
        Path file = write("baton.yaml", "chunk-tokens: 1\ndrain-limit: 1s\nkernels: vector-api\n");
        Settings settings = Settings.of(KNOWN)
                .file(file)
                .environment(Map.of("BATON_CHUNK_TOKENS", "2", "BATON_DRAIN_LIMIT", "2s", "PATH", "/bin"))
                .flag("chunk-tokens", "3")
                .load();

        assertThat(settings.value(CHUNK)).isEqualTo(3);
        assertThat(settings.value(LIMIT)).isEqualTo(Duration.ofSeconds(2));
        assertThat(settings.value(KERNELS)).isEqualTo(Kernels.VECTOR_API);
        assertThat(settings.value(POOL)).isEmpty();
        assertThat(settings.origin(CHUNK)).hasToString("flag --chunk-tokens");
        assertThat(settings.origin(LIMIT)).hasToString("environment BATON_DRAIN_LIMIT");
        assertThat(settings.origin(KERNELS)).hasToString("file " + file + ":3");
        assertThat(settings.origin(POOL)).hasToString("default");
    }

    @Test
    void theOrderInWhichLayersAreReadDoesNotMatter() throws IOException {
        Settings settings = Settings.of(KNOWN)
                .flag("chunk-tokens", "3")
                .file(write("baton.yaml", "chunk-tokens: 1\n"))
                .load();
        assertThat(settings.value(CHUNK)).isEqualTo(3);
    }

    @Test
    void anUnknownKeyIsAnErrorThatNamesTheNearestKnownOne() throws IOException {
        Path file = write("baton.yaml", "model: a\nchunk-token: 1\n");
        assertThatThrownBy(() -> Settings.of(KNOWN).file(file))
                .isInstanceOf(SettingsException.class)
                .hasMessage("file " + file + ":2: unknown key chunk-token; did you mean chunk-tokens?");
        assertThatThrownBy(() -> Settings.of(KNOWN).environment(Map.of("BATON_CHUNKTOKENS", "1")))
                .hasMessage("unknown environment variable BATON_CHUNKTOKENS; did you mean BATON_CHUNK_TOKENS?");
        assertThatThrownBy(() -> Settings.of(KNOWN).flag("kernel", "auto"))
                .hasMessage("unknown flag --kernel; did you mean --kernels?");
        assertThatThrownBy(() -> Settings.of(KNOWN).flag("entirely-different", "x"))
                .hasMessageContaining("known keys are chunk-tokens, pool-bytes");
    }

    @Test
    void keysOfOtherCommandsMayStandInFileAndEnvironmentButNotInFlags() throws IOException {
        Setting<Integer> port = Setting.integer("port", "a port");
        Settings settings = Settings.of(KNOWN)
                .alsoAllow(List.of(port))
                .file(write("baton.yaml", "port: 1\nchunk-tokens: 7\n"))
                .environment(Map.of("BATON_PORT", "2"))
                .load();
        assertThat(settings.value(CHUNK)).isEqualTo(7);
        assertThatThrownBy(() -> Settings.of(KNOWN).alsoAllow(List.of(port)).flag("port", "1"))
                .hasMessageStartingWith("unknown flag --port");
    }

    @Test
    void whatKubernetesWritesIntoTheEnvironmentIsNotConfiguration() {
        Setting<Integer> port = Setting.integer("port", "a port").withDefault("0");
        Settings settings = Settings.of(List.of(port))
                .environment(Map.of(
                        "BATON_PORT", "tcp://10.0.0.1:50051",
                        "BATON_PORT_50051_TCP", "tcp://10.0.0.1:50051",
                        "BATON_PORT_50051_TCP_ADDR", "10.0.0.1",
                        "BATON_SERVICE_HOST", "10.0.0.1",
                        "BATON_SERVICE_PORT_GRPC", "50051",
                        "BATON_GATEWAY_SERVICE_HOST", "10.0.0.1",
                        "BATON_GATEWAY_PORT", "tcp://10.0.0.1:50051"))
                .load();
        assertThat(settings.value(port)).isZero();
    }

    @Test
    void aMalformedValueIsNamedWithItsOriginAndWhatWasExpected() {
        assertThatThrownBy(() -> Settings.of(KNOWN).flag("chunk-tokens", "many").load())
                .hasMessage("chunk-tokens (flag --chunk-tokens): expected a whole number, found \"many\"");
        assertThatThrownBy(() -> Settings.of(KNOWN).flag("chunk-tokens", "0").load())
                .hasMessage("chunk-tokens (flag --chunk-tokens): expected at least 1, found \"0\"");
        assertThatThrownBy(() -> Settings.of(KNOWN)
                        .environment(Map.of("BATON_POOL_BYTES", "4 bananas"))
                        .load())
                .hasMessageContaining("expected a size such as 512MiB")
                .hasMessageContaining("environment BATON_POOL_BYTES");
        assertThatThrownBy(() -> Settings.of(KNOWN).flag("drain-limit", "30").load())
                .hasMessageContaining("expected a duration such as 250ms");
        assertThatThrownBy(() -> Settings.of(KNOWN).flag("kernels", "fast").load())
                .hasMessageContaining("expected auto, vector-api");
    }

    @Test
    void aMissingValueSaysHowToGiveIt() {
        Settings settings = Settings.defaults(KNOWN);
        assertThatThrownBy(() -> settings.value(MODEL))
                .isInstanceOf(SettingsException.class)
                .hasMessage("model is missing: give --model, BATON_MODEL or model in the --config file");
    }

    @Test
    void sizesAndDurationsAreReadInTheirUsualUnits() {
        Settings settings = Settings.of(KNOWN)
                .flag("pool-bytes", "1.5GiB")
                .flag("drain-limit", "250ms")
                .load();
        assertThat(settings.value(POOL)).contains(3L << 29);
        assertThat(settings.value(LIMIT)).isEqualTo(Duration.ofMillis(250));
        assertThat(Settings.of(KNOWN).flag("pool-bytes", "4kB").load().value(POOL))
                .contains(4000L);
    }

    @Test
    void nestedYamlIsJoinedWithHyphensAndSequencesAreLists() throws IOException {
        Path file = write("baton.yml", """
            chunk: {tokens: 9}
            prefill:
              nodes:
                - a:1
                - b:2
            """);
        Settings settings = Settings.of(KNOWN).file(file).load();
        assertThat(settings.value(CHUNK)).isEqualTo(9);
        assertThat(settings.value(NODES)).containsExactly("a:1", "b:2");
        assertThat(Settings.of(KNOWN).flag("prefill-nodes", "a:1, b:2").load().value(NODES))
                .containsExactly("a:1", "b:2");
    }

    @Test
    void aPropertiesFileWorksAsWell() throws IOException {
        Path file = write("baton.properties", "# comment\n\nchunk-tokens = 5\nmodel=/m=odel.gguf\n");
        Settings settings = Settings.of(KNOWN).file(file).load();
        assertThat(settings.value(CHUNK)).isEqualTo(5);
        assertThat(settings.value(MODEL)).isEqualTo(Path.of("/m=odel.gguf"));
        assertThat(settings.origin(CHUNK)).hasToString("file " + file + ":3");
    }

    @Test
    void aFileThatCannotBeUsedIsRefusedWithItsName() throws IOException {
        Path missing = folder.resolve("none.yaml");
        assertThatThrownBy(() -> Settings.of(KNOWN).file(missing))
                .hasMessageContaining(missing + ": found no such file");
        Path twice = write("twice.yaml", "chunk-tokens: 1\nchunk:\n  tokens: 2\n");
        assertThatThrownBy(() -> Settings.of(KNOWN).file(twice))
                .hasMessage("file " + twice + ":3: key chunk-tokens was already given in line 1; keep one");
        Path broken = write("broken.yaml", "a: [1\n");
        assertThatThrownBy(() -> Settings.of(KNOWN).file(broken)).hasMessageContaining("found no valid YAML");
        Path scalar = write("scalar.yaml", "just text\n");
        assertThatThrownBy(() -> Settings.of(KNOWN).file(scalar)).hasMessageContaining("expected a mapping");
        Path other = write("baton.ini", "");
        assertThatThrownBy(() -> Settings.of(KNOWN).file(other)).hasMessageContaining("expected a name ending in");
    }

    @Test
    void whatIsPrintedNamesEveryOriginAndReadsBackAsTheSameSettings() throws IOException {
        Settings settings = Settings.of(KNOWN)
                .environment(Map.of("BATON_MODEL", "/models/a \"b\": c.gguf"))
                .flag("prefill-nodes", "a:1,b:2")
                .flag("cluster-key", "hunter2")
                .load();
        String printed = settings.print();

        assertThat(printed)
                .containsPattern("chunk-tokens: 256 +# default")
                .containsPattern("prefill-nodes: \"a:1,b:2\" +# flag --prefill-nodes")
                .containsPattern("# pool-bytes: +# not set")
                .doesNotContain("hunter2");
        Settings again = Settings.of(KNOWN).file(write("printed.yaml", printed)).load();
        assertThat(again.value(MODEL)).isEqualTo(settings.value(MODEL));
        assertThat(again.value(NODES)).isEqualTo(settings.value(NODES));
        assertThat(again.value(POOL)).isEmpty();
    }

    @Test
    void aDefaultThatDoesNotParseIsADefectWhereItIsDeclared() {
        assertThatThrownBy(() -> Setting.integer("n", "").withDefault("x"))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Setting.text("notKebab", "")).isInstanceOf(IllegalArgumentException.class);
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }
}
