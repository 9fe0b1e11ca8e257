package io.baton.model.files;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** See CONTRIBUTING: the seeds are replayed in every build, {@code tools/fuzz} looks for more. */
class GgufFuzzTest {

    @TempDir
    static Path folder;

    @FuzzTest
    void anyFileIsReadOrRefused(byte[] bytes) throws IOException {
        TestingReader.readEverything(Files.write(folder.resolve("fuzzed.gguf"), bytes));
    }
}
