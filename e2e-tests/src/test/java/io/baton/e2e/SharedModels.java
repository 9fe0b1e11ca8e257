package io.baton.e2e;

import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Files;
import java.nio.file.Path;

/** Real models that are not part of the project; tests that want one skip where it is absent. */
public final class SharedModels {

    private SharedModels() {}

    public static Path stories260K(String form) {
        return present("data/models/stories260K/derived/" + form);
    }

    public static Path llama2TinyRandom() {
        return present("data/models/llama-2-tiny-random/llama-2-tiny-random.gguf");
    }

    public static Path present(String relative) {
        Path path = Path.of(System.getProperty("baton.shared", "../shared")).resolve(relative);
        assumeThat(Files.exists(path)).as("%s is there", path).isTrue();
        return path;
    }
}
