package io.baton.model.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whole files of bounded size. */
final class BoundedText {

    private BoundedText() {}

    /** The bytes of a file that may have at most {@code most}. */
    static byte[] bytes(Path file, int most) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(most + 1);
            if (bytes.length > most) {
                throw new ModelFileException(
                        file,
                        "found more than %d bytes, expected at most so many; fetch the file again".formatted(most));
            }
            return bytes;
        } catch (IOException e) {
            throw new ModelFileException(file, "cannot be read: " + e.getMessage(), e);
        }
    }

    /** The text of a file that must be UTF-8. */
    static String read(Path file, int most) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes(file, most)))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new ModelFileException(
                    file, "found bytes that are not UTF-8, expected UTF-8 text; fetch the file again", e);
        }
    }
}
