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

    private static final String REMEDY = "; fetch or convert the model again, or choose another";

    /**
     * A field whose value cannot be right.
     *
     * @param expected may go on after a semicolon with what to do; unless it does, the message says it
     */
    static ModelFileException at(Path file, long offset, String field, Object found, String expected) {
        return new ModelFileException(
                file, "at byte %d, %s: found %s, expected %s".formatted(offset, field, found, withRemedy(expected)));
    }

    /** A field that is missing or wrong where no single byte is to blame; {@code expected} as above. */
    static ModelFileException field(Path file, String field, Object found, String expected) {
        return new ModelFileException(file, "%s: found %s, expected %s".formatted(field, found, withRemedy(expected)));
    }

    private static String withRemedy(String expected) {
        return expected.contains("; ") ? expected : expected + REMEDY;
    }
}
