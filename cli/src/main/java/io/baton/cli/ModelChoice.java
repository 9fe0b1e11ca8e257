package io.baton.cli;

import io.baton.serving.Settings;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.jspecify.annotations.Nullable;

/**
 * The model that was asked for, or the embedded one, which is unpacked to a temporary file because models are mapped.
 */
final class ModelChoice implements AutoCloseable {

    private static final String EMBEDDED = "demo-model.gguf";

    private final Path path;
    private final boolean temporary;

    private ModelChoice(Path path, boolean temporary) {
        this.path = path;
        this.temporary = temporary;
    }

    static ModelChoice of(Settings settings) {
        return of(settings.value(EngineSettings.MODEL).orElse(null));
    }

    /** @param given null for the embedded model */
    static ModelChoice of(@Nullable Path given) {
        if (given == null) {
            return unpacked();
        }
        return new ModelChoice(given, false);
    }

    private static ModelChoice unpacked() {
        try (@Nullable InputStream embedded = ModelChoice.class.getResourceAsStream(EMBEDDED)) {
            if (embedded == null) {
                throw new CommandException(
                        "this build has no model of its own; give --model a GGUF file or a Hugging Face folder");
            }
            Path file = Files.createTempFile("baton-storyteller", ".gguf");
            Files.copy(embedded, file, StandardCopyOption.REPLACE_EXISTING);
            return new ModelChoice(file, true);
        } catch (IOException e) {
            throw new CommandException(
                    "the embedded model cannot be unpacked to " + System.getProperty("java.io.tmpdir") + ": "
                            + e.getMessage(),
                    e);
        }
    }

    Path path() {
        return path;
    }

    /** What is mapped stays readable. */
    @Override
    public void close() {
        if (temporary) {
            try {
                Files.deleteIfExists(path);
            } catch (IOException e) {
                path.toFile().deleteOnExit();
            }
        }
    }
}
