package io.baton.e2e.errors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Runs the commands of the table in {@code docs/errors.md}: each ends exactly as its row says. */
class ErrorTableTest {

    private static final Path DOCUMENT = Path.of("..", "docs", "errors.md");

    /** Names in messages for what differs from run to run. */
    private static final Set<String> VOLATILE = Set.of("number", "size", "digest", "source", "reason");

    @TempDir
    static Path folder;

    private static Scene scene;

    @BeforeAll
    static void setTheScene() throws Exception {
        scene = Scene.in(folder);
    }

    @AfterAll
    static void clearTheScene() throws Exception {
        scene.close();
    }

    @TestFactory
    Stream<DynamicTest> everyRowIsWhatHappens() throws IOException {
        return ErrorRow.read(DOCUMENT).stream().map(row -> DynamicTest.dynamicTest(row.what(), () -> check(row)));
    }

    private static void check(ErrorRow row) {
        Outcome outcome = Outcome.of(row.resolvedCommand(scene::resolve));
        assertThat(outcome.message()).matches(row.expected(scene::resolve));
        assertThat(outcome.status()).as("status").isEqualTo(row.status());
        assertThat(outcome.exit()).as("exit code").isEqualTo(row.exit());
        if (!outcome.exit().equals("2")) { // a usage error is followed by the command's usage
            assertThat(outcome.more()).isEmpty();
        }
    }

    @Test
    void everyKindOfErrorHasARow() throws IOException {
        List<ErrorRow> rows = ErrorRow.read(DOCUMENT);
        Set<String> named = new HashSet<>();
        rows.forEach(row -> named.addAll(row.names()));
        named.removeAll(VOLATILE);
        assertThat(named).containsExactlyInAnyOrderElementsOf(scene.names());
        assertThat(rows).extracting(ErrorRow::what).doesNotHaveDuplicates();
        assertThat(rows)
                .extracting(ErrorRow::status)
                .contains("INVALID_ARGUMENT", "NOT_FOUND", "OUT_OF_RANGE", "UNIMPLEMENTED", "FAILED_PRECONDITION")
                .contains("RESOURCE_EXHAUSTED", "UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", ErrorRow.NONE);
        assertThat(rows).extracting(ErrorRow::exit).containsOnly("1", "2", ErrorRow.NONE);
    }
}
