package io.baton.model.files;

import java.nio.file.Path;

/** A model file that cannot be read. The message names file, place and field, and says what was found and expected. */
public final class ModelFileException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public ModelFileException(Path file, String problem) {
        super("%s: %s".formatted(file, problem));
    }

    public ModelFileException(Path file, String problem, Throwable cause) {
        super("%s: %s".formatted(file, problem), cause);
    }

    /** A field whose value cannot be right. */
    static ModelFileException at(Path file, long offset, String field, Object found, String expected) {
        return new ModelFileException(
                file, "at byte %d, %s: found %s, expected %s".formatted(offset, field, found, expected));
    }

    /** A field that is missing or wrong where no single byte is to blame. */
    static ModelFileException field(Path file, String field, Object found, String expected) {
        return new ModelFileException(file, "%s: found %s, expected %s".formatted(field, found, expected));
    }
}
