package io.baton.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BenchCommandTest {

    @TempDir
    Path folder;

    private static final String[] SMALL = {
        "-p", "16,40", "-n", "4", "-d", "0,64", "-b", "1,3", "-t", "2", "-r", "2", "--warm-up", "0"
    };

    @Test
    void everyRowHasItsFieldsAndAFractionOfTheLimit() {
        List<JsonNode> rows = rows("--synthetic", "tiny", "--quant", "q8_0");
        assertThat(rows)
                .extracting(row -> row.get("test").asString())
                .containsExactly("pp16", "pp40", "tg4", "tg4b3", "tg4@64", "tg4@64b3", "attn@64");
        for (JsonNode row : rows) {
            assertThat(row.get("quant").asString()).isEqualTo("q8_0");
            assertThat(row.get("activations").asString()).isEqualTo("q8");
            assertThat(row.get("threads").asInt()).isEqualTo(2);
            double fraction = row.get("fractionOfLimit").asDouble();
            if (row.has("machine")) { // measured with native kernels only
                assertThat(row.get("limit").asString()).isIn("int8", "bf16", "f32", "read");
                assertThat(fraction).isStrictlyBetween(0.0, 1.0);
            } else {
                assertThat(row.get("limit").asString()).isEqualTo("unknown");
                assertThat(fraction).isZero();
            }
            double median = row.get("tokensPerSecond").asDouble();
            assertThat(median)
                    .isBetween(row.get("lowest").asDouble(), row.get("highest").asDouble());
            assertThat(row.get("bytesPerSecond").asDouble()).isPositive();
            assertThat(row.get("operationsPerSecond").asDouble()).isPositive();
            assertThat(row.get("loadSeconds").asDouble()).isPositive();
        }
    }

    @Test
    void theWrittenModelGivesTheSameRows() {
        Path file = folder.resolve("tiny.gguf");
        List<JsonNode> written = rows("--synthetic", "tiny", "--quant", "bf16", "--write", file.toString());
        assertThat(file).exists();
        List<JsonNode> read = rows("--model", file.toString());
        for (String field : new String[] {"test", "model", "quant", "activations", "fileBytes"}) {
            assertThat(read)
                    .extracting(row -> row.get(field).asString())
                    .isEqualTo(written.stream()
                            .map(row -> row.get(field).asString())
                            .toList());
        }
    }

    @Test
    void theTableNamesTheMachineAndEveryRow() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(baton.run(arguments("--synthetic", "tiny", "--quant", "f32", "--kernels", "scalar")))
                .isZero();
        assertThat(baton.out())
                .contains("synthetic-tiny f32, f32 activations, bf16 K and V, scalar kernels, 2 threads")
                .contains("machine ", "load ", "tokens/s", "of limit", "\npp16 ", "\ntg4@64b3 ", "\nattn@64 ");
        assertThat(baton.err()).contains("pp16 measured");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--quant q9 | no random weights of type q9; there are f32, f16, bf16, q8_0, q4_0",
                "--synthetic llama-9 | no shape named llama-9; there are tiny, 110m, llama-3.2-1b",
                "--synthetic tiny -d 4096 | sequences of 4225 tokens, but the model has 2048 positions",
                "--synthetic tiny -b 0 | batch: expected 1 to 1048576, found 0",
                "--warm-up -1 | warm-up: expected 0 or more, found PT-0.001S",
                "--synthetic tiny -t 0 | threads: expected 1 to 1048576, found 0",
                "--model x.gguf --quant q8_0 | --synthetic, --quant and --write are for random ones",
                "--kv-dtype f64 | f64",
            })
    void wrongOptionsAreUsageErrorsThatSayWhatWouldDo(String options, String message) {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(baton.run(("bench engine " + options).split(" "))).isEqualTo(2);
        assertThat(baton.err()).contains(message);
    }

    @Test
    void aModelThatIsNotThereFails() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(baton.run("bench", "engine", "--model", "/no/such.gguf")).isEqualTo(1);
        assertThat(baton.err()).contains("/no/such.gguf: found no such file");
    }

    @Test
    void helpNamesEveryOption() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(baton.run("bench", "engine", "--help")).isZero();
        assertThat(baton.out())
                .contains("Usage: baton bench engine", "--model=", "--synthetic=", "--quant=", "--write=", "--json")
                .contains("--kv-dtype=", "--kernels=", "--activations=", "-p=", "-n=", "-d=", "-b=", "-t=", "-r=");
    }

    @Test
    void numericsCompareWithDoublePrecision() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(baton.run("bench", "numerics", "--synthetic", "tiny", "--quant", "f32", "-n", "4", "--json"))
                .isZero();
        JsonNode result = new JsonMapper().readTree(baton.out());
        assertThat(result.get("positions").asInt()).isEqualTo(4);
        assertThat(result.get("topAgreement").asDouble()).isBetween(0.0, 1.0);
        assertThat(result.get("meanDivergence").asDouble()).isLessThan(1e-3);
    }

    private List<JsonNode> rows(String... model) {
        BatonUnderTest baton = BatonUnderTest.plain();
        List<String> arguments = new ArrayList<>(List.of(arguments(model)));
        arguments.add("--json");
        assertThat(baton.run(arguments.toArray(String[]::new))).as(baton.err()).isZero();
        JsonMapper json = new JsonMapper();
        return baton.out().lines().map(json::readTree).toList();
    }

    private static String[] arguments(String... model) {
        List<String> arguments = new ArrayList<>(List.of("bench", "engine"));
        arguments.addAll(List.of(model));
        arguments.addAll(List.of(SMALL));
        return arguments.toArray(String[]::new);
    }
}
