package io.baton.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What C sees of the native kernels, without the JVM: {@code src/test/c/answers.c}. */
class KernelAnswersTest {

    @TempDir
    private Path folder;

    @Test
    void everyInstructionSetOfThisMachineGivesTheSameBits() throws IOException, InterruptedException {
        NativeLibrary.Loading loading = NativeLibrary.load();
        assumeTrue(loading instanceof NativeLibrary.Loading.Loaded, loading.toString());
        List<String> sets = ((NativeLibrary.Loading.Loaded) loading).library().instructionSets();
        String compiler = Stream.of("cc", "gcc", "clang")
                .filter(KernelAnswersTest::isCommand)
                .findFirst()
                .orElse("");
        assumeTrue(!compiler.isEmpty(), "no C compiler, but a library that one has made");
        Path program = folder.resolve("answers");
        run(
                compiler,
                "-O1",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-Isrc/main/c",
                "src/test/c/answers.c",
                "-o",
                program,
                "-ldl");

        Map<String, StringBuilder> answers = new LinkedHashMap<>();
        run(program, library()).lines().forEach(line -> {
            int end = line.indexOf(' ');
            answers.computeIfAbsent(line.substring(0, end), _ -> new StringBuilder())
                    .append(line.substring(end))
                    .append('\n');
        });

        assertThat(List.copyOf(answers.keySet())).isEqualTo(sets);
        String first = answers.values().iterator().next().toString();
        assertThat(first.lines()).hasSizeGreaterThan(400);
        answers.forEach((set, bits) -> assertThat(bits.toString()).as(set).isEqualTo(first));
    }

    private static boolean isCommand(String name) {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, name)));
    }

    private static Path library() throws IOException {
        try (Stream<Path> libraries = Files.walk(Path.of("target/classes/native"))) {
            return libraries.filter(Files::isRegularFile).findFirst().orElseThrow();
        }
    }

    private static String run(Object... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Stream.of(command).map(Object::toString).toList())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }
}
