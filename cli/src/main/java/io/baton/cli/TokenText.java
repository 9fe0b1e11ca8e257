package io.baton.cli;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** A token's bytes for people: quoted text with escapes, or hexadecimal when they are no text on their own. */
final class TokenText {

    private TokenText() {}

    static String shown(byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            StringBuilder shown = new StringBuilder("\"");
            text.codePoints().forEach(c -> {
                switch (c) {
                    case '"', '\\' -> shown.append('\\').appendCodePoint(c);
                    case '\n' -> shown.append("\\n");
                    case '\t' -> shown.append("\\t");
                    case '\r' -> shown.append("\\r");
                    default -> {
                        if (Character.isISOControl(c)) {
                            shown.append("\\u%04x".formatted(c));
                        } else {
                            shown.appendCodePoint(c);
                        }
                    }
                }
            });
            return shown.append('"').toString();
        } catch (CharacterCodingException e) {
            return HexFormat.ofDelimiter(" ").formatHex(bytes);
        }
    }
}
