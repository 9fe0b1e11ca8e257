package io.baton.testing;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** Real models, vocabularies and traces that are not part of the project, by their paths below its shared folder. */
public final class SharedFiles {

    private static final Path SHARED = Path.of(System.getProperty("baton.shared", "absent"));

    private SharedFiles() {}

    /** A file or folder; the test that asks for it is skipped where it is absent. */
    public static Path present(String relative) {
        Optional<Path> found = find(relative);
        Assumptions.assumeTrue(found.isPresent(), () -> SHARED.resolve(relative) + " is absent");
        return found.orElseThrow();
    }

    /** As {@link #present}, for tests that can do without. */
    public static Optional<Path> find(String relative) {
        return Optional.of(SHARED.resolve(relative)).filter(Files::exists);
    }

    /** A small model that was trained on children's stories; {@code form} is the name of a file, or of a folder. */
    public static Path stories260K(String form) {
        return present("data/models/stories260K/derived/" + form);
    }
}
