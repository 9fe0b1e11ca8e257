package io.baton.model.files;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The folder's other files are sound. */
class TokenizerJsonFuzzTest {

    @TempDir
    static Path path;

    private static TestingFolder folder = new TestingFolder(Path.of(""));

    @BeforeAll
    static void theRestIsSound() {
        folder = TestingFolder.whole(path);
    }

    @FuzzTest
    void anyTokenizerIsReadOrRefused(byte[] bytes) {
        TestingReader.readEverything(folder.file("tokenizer.json", bytes).path());
    }
}
