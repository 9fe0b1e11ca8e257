package io.baton.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.baton.serving.Setting;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BatonTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "demo",
                "up",
                "prefill",
                "decode",
                "gateway",
                "generate",
                "tokenize",
                "inspect",
                "bench",
                "completion"
            })
    void everySubcommandHasHelp(String command) {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(baton.run(command, "--help")).isZero();
        assertThat(baton.out()).contains("Usage: baton " + command).doesNotContain("${");
    }

    @Test
    void noSubcommandAnUnknownOneAndAnUnknownFlagAreUsageErrors() {
        assertThat(BatonUnderTest.plain().run()).isEqualTo(2);
        assertThat(BatonUnderTest.plain().run("serve")).isEqualTo(2);
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(baton.run("up", "--chunk-token", "1")).isEqualTo(2);
        assertThat(baton.err()).contains("--chunk-token").contains("--chunk-tokens");
    }

    @Test
    void helpAndVersionSucceed() {
        assertThat(BatonUnderTest.plain().run("--help")).isZero();
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(baton.run("--version")).isZero();
        assertThat(baton.out()).startsWith("baton ");
    }

    @Test
    void theFlagsOfTheCommonListAreThere() {
        for (String command : new String[] {"demo", "up"}) {
            BatonUnderTest baton = BatonUnderTest.plain();
            assertThat(baton.run(command, "--help")).isZero();
            assertThat(baton.out())
                    .contains("--model=", "--kv-dtype=f32|bf16", "--activations=auto|q8|bf16|f32", "--block-tokens=")
                    .contains(
                            "--chunk-tokens=", "--threads=", "--kernels=auto|scalar|vector", "--prefill=", "--decode=");
        }
        BatonUnderTest generate = BatonUnderTest.plain();
        assertThat(generate.run("generate", "--help")).isZero();
        assertThat(generate.out())
                .contains("--target=HOST:PORT", "--prefill-mode=auto|local|remote", "--temperature=", "--top-k=")
                .contains("--top-p=", "--min-p=", "--seed=", "--max-tokens=", "--json");
    }

    @Test
    void settingsComeFromFlagsEnvironmentAndFileAndPrintConfigTellsWhich() throws IOException {
        Path config = Files.writeString(
                folder.resolve("baton.yaml"), "chunk-tokens: 64\nkernels: scalar\nmax-in-flight: 9\n");
        BatonUnderTest baton =
                BatonUnderTest.withEnvironment(Map.of("BATON_KERNELS", "vector", "BATON_MAX_SEQUENCES", "8"));
        int code = baton.run(
                "decode",
                "--config",
                config.toString(),
                "--kv-dtype=f32",
                "--insecure",
                "--prefill-nodes",
                "a:1,b:2",
                "--print-config");
        assertThat(code).isZero();
        assertThat(baton.out())
                .containsPattern("kv-dtype: f32 +# flag --kv-dtype")
                .containsPattern("insecure: true +# flag --insecure")
                .containsPattern("prefill-nodes: \"a:1,b:2\" +# flag --prefill-nodes")
                .containsPattern("kernels: vector +# environment BATON_KERNELS")
                .containsPattern("chunk-tokens: 64 +# file .*baton.yaml:1")
                .containsPattern("block-tokens: 32 +# default")
                .doesNotContain("max-in-flight"); // the gateway's; a shared file may hold it
    }

    @Test
    void aWrongSettingIsAUsageErrorThatNamesItsOrigin() throws IOException {
        BatonUnderTest flag = BatonUnderTest.plain();
        assertThat(flag.run("prefill", "--kv-dtype", "f64", "--print-config")).isEqualTo(2);
        assertThat(flag.err()).contains("kv-dtype (flag --kv-dtype): expected f32, bf16");

        BatonUnderTest unknown = BatonUnderTest.withEnvironment(Map.of("BATON_CHUNKTOKENS", "1"));
        assertThat(unknown.run("prefill", "--print-config")).isEqualTo(2);
        assertThat(unknown.err()).contains("did you mean BATON_CHUNK_TOKENS?");

        Path config = Files.writeString(folder.resolve("baton.yaml"), "chunk_tokens: 64\n");
        BatonUnderTest file = BatonUnderTest.plain();
        assertThat(file.run("up", "--config", config.toString())).isEqualTo(2);
        assertThat(file.err()).contains("baton.yaml:1: unknown key chunk_tokens; did you mean chunk-tokens?");
    }

    @Test
    void anUnusableBlockSizeIsAUsageError() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(baton.run("up", "--block-tokens", "33")).isEqualTo(2);
        assertThat(baton.err()).contains("block-tokens must be 16, 32, 64 or 128, found 33");
    }

    @Test
    void numbersOfNodesAreChecked() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(baton.run("up", "--decode", "0")).isEqualTo(2);
        assertThat(baton.err()).contains("--decode: expected 1 to 64, found 0");
    }

    @Test
    void aModelThatIsNotThereOrNoModelFails() throws IOException {
        BatonUnderTest missing = BatonUnderTest.plain();
        assertThat(missing.run("up", "--model", "/no/such.gguf")).isEqualTo(1);
        assertThat(missing.err())
                .isEqualToIgnoringNewLines(
                        "baton up: /no/such.gguf: found no such file, expected a GGUF file or a Hugging Face folder;"
                                + " check the path");

        Path noModel = Files.writeString(folder.resolve("notes.gguf"), "not a model");
        BatonUnderTest wrong = BatonUnderTest.plain();
        assertThat(wrong.run("inspect", noModel.toString())).isEqualTo(1);
        assertThat(wrong.err()).startsWith("baton inspect: ").contains("notes.gguf");
    }

    @Test
    void aTakenPortFailsAndSaysWhatToChange() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            BatonUnderTest baton = BatonUnderTest.plain();
            String port = String.valueOf(taken.getLocalPort());
            assertThat(baton.run("gateway", "--port", port, "--decode-nodes", "127.0.0.1:1"))
                    .isEqualTo(1);
            assertThat(baton.err()).contains("port " + port + " of 127.0.0.1 is taken", "--port");
        }
    }

    @Test
    void plaintextBeyondLoopbackIsRefused() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(baton.run("gateway", "--host", "0.0.0.0", "--decode-nodes", "127.0.0.1:1"))
                .isEqualTo(1);
        assertThat(baton.err()).contains("refusing to listen on 0.0.0.0 without TLS");
    }

    @Test
    void theEmbeddedModelIsInspectedAndTokenizes() {
        BatonUnderTest inspect = BatonUnderTest.plain();
        long heap = Runtime.getRuntime().maxMemory();
        String plenty = "--memory-limit=" + (heap + (1L << 30));
        assertThat(inspect.run("inspect", "--tensors", plenty, "--max-sequences=4"))
                .isZero();
        assertThat(inspect.out())
                .containsPattern("(?m)^architecture +llama$")
                .containsPattern("(?m)^layers +6$")
                .containsPattern("(?m)^heads +4, 2 for keys and values, of 32$")
                .containsPattern("(?m)^parameters +1,164,928$")
                .containsPattern("(?m)^KV per token \\(f32\\) +3,072 bytes$")
                .containsPattern("(?m)^KV per token \\(bf16\\) +1,536 bytes$")
                .containsPattern("(?m)^KV per token \\(q8\\) +864 bytes$")
                .containsPattern("(?m)^numerics +weights=.+,activations=q8,kv=bf16$")
                // 2 · 4 sequences · 512 / 32 blocks are as many as are of use
                .containsPattern("(?m)^KV pool of a node +128 blocks of 32 tokens: 4,096 tokens, 6,291,456 bytes$")
                .containsPattern("(?m)^memory of a node +heap .+ of [0-9,]+ MiB \\(as told\\)$")
                .containsPattern("(?m)^fingerprint +[0-9a-f]{64}$")
                .containsPattern("(?m)^ +token_embd\\.weight +Q8_0 +\\[1024, 128]$");

        BatonUnderTest small = BatonUnderTest.withEnvironment(Map.of("BATON_KV_DTYPE", "q8"));
        String limit = String.valueOf(heap + (262L << 20)); // the JVM's own, weights, and a few more
        assertThat(small.run("inspect", "--memory-limit", limit)).isZero();
        Matcher blocks = Pattern.compile("KV pool of a node +([0-9,]+) blocks").matcher(small.out());
        assertThat(blocks.find()).as(small.out()).isTrue();
        assertThat(Integer.parseInt(blocks.group(1).replace(",", ""))).isBetween(1, 127);

        BatonUnderTest none = BatonUnderTest.plain();
        assertThat(none.run("inspect", "--memory-limit=1MiB")).isZero();
        assertThat(none.out()).containsPattern("(?m)^cannot be served +heap \\(-Xmx\\) needs .+ raise memory-limit$");
        BatonUnderTest file = BatonUnderTest.plain();
        assertThat(file.run("inspect", "--file-only")).isZero();
        assertThat(file.out()).contains("parameters").doesNotContain("fingerprint");

        BatonUnderTest tokenize = BatonUnderTest.plain();
        assertThat(tokenize.run("tokenize", "Once upon a time")).isZero();
        assertThat(tokenize.out()).contains("nce").endsWith("tokens" + System.lineSeparator());
        BatonUnderTest ids = BatonUnderTest.plain();
        assertThat(ids.run("tokenize", "--ids", "--no-bos", "Once upon a time")).isZero();
        assertThat(ids.out().strip()).matches("\\d+(,\\d+)*");
        BatonUnderTest literal = BatonUnderTest.plain();
        assertThat(literal.run("tokenize", "--ids", "--no-bos", "the end</s>")).isZero();
        assertThat(literal.out().trim().split(",")).as("text unless asked for").doesNotContain("2");
        BatonUnderTest special = BatonUnderTest.plain();
        assertThat(special.run("tokenize", "--ids", "--no-bos", "--special", "the end</s>"))
                .isZero();
        assertThat(special.out().trim()).endsWith(",2");
    }

    @Test
    void theCompletionScriptKnowsEveryCommandAndFlag() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(baton.run("completion")).isZero();
        assertThat(baton.out()).contains("_complete_baton", "generate", "--prefill-mode");
        RoleSettings.ANYWHERE.stream()
                .map(Setting::key)
                .forEach(key -> assertThat(baton.out()).contains("--" + key));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'baton ge'                             | generate",
                "'./baton inspect --file'               | --file-only",
                "'baton up --kv-d'                      | --kv-dtype",
                "'baton up --kv-dtype b'                | bf16",
                "'baton decode --kernels s'             | scalar",
                "'baton generate --prefill-mode rem'    | remote",
                "'baton up --model models/sto'          | models/stories.gguf",
                "'baton generate --prompt-file models/' | models/stories.gguf",
            })
    void bashCompletesWhatWasBegun(String line, String completion) throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/bash")));
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(baton.run("completion")).isZero();
        Files.writeString(folder.resolve("completion.bash"), baton.out());
        Files.createFile(Files.createDirectories(folder.resolve("models")).resolve("stories.gguf"));
        // As bash calls a completion function: the line's words, and which of them the cursor is in.
        Process bash = new ProcessBuilder("/bin/bash", "-c", """
                        source completion.bash
                        COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
                        _complete_baton && printf '%%s\\n' "${COMPREPLY[@]}"
                        """.formatted(line))
                .directory(folder.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD) // compopt works only when bash itself calls
                .start();
        String completions = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(completions.lines()).containsExactly(completion);
    }

    @ParameterizedTest
    @ValueSource(strings = {"demo", "up", "prefill", "decode", "gateway"})
    void printConfigShowsEverySettingWithItsOrigin(String command) {
        BatonUnderTest help = BatonUnderTest.plain();
        assertThat(help.run(command, "--help")).isZero();
        BatonUnderTest config = BatonUnderTest.withEnvironment(Map.of("BATON_LOG_LEVEL", "error"));
        assertThat(config.run(command, "--print-config", "--drain-limit=7s")).isZero();
        List<String> settings = RoleSettings.ANYWHERE.stream()
                .map(Setting::key)
                .filter(key -> help.out().contains("--" + key + "="))
                .toList();
        assertThat(settings).hasSizeGreaterThan(10);
        for (String key : settings) {
            String origin = switch (key) {
                case "log-level" -> "error +# environment BATON_LOG_LEVEL";
                case "drain-limit" -> "7s +# flag --drain-limit";
                default -> ".*# (default|not set)";
            };
            assertThat(config.out()).containsPattern("(?m)^(# )?" + key + ": *" + origin + "$");
        }
    }
}
