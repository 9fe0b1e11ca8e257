package io.baton.text;

import java.util.Map;

/**
 * How text is cut into words before byte-level merging. Each rule is a published regular expression, walked by hand:
 * one pass, no backtracking, no stack. In all of them {@code \s+(?!\S)} leaves the last space of a run to the next
 * word.
 */
enum WordRule {
    /** {@code 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+} */
    GPT2,
    /** {@link #GPT2} between single digits. */
    GPT2_SINGLE_DIGITS,
    /**
     * {@code (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
     * ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+}
     */
    LLAMA3,
    /** {@link #LLAMA3} with one digit a word. */
    QWEN2;

    /** GGUF's names; those that share a rule share an entry. */
    private static final Map<String, WordRule> BY_NAME = Map.ofEntries(
            Map.entry("gpt-2", GPT2),
            Map.entry("phi-2", GPT2),
            Map.entry("mpt", GPT2),
            Map.entry("olmo", GPT2),
            Map.entry("starcoder", GPT2_SINGLE_DIGITS),
            Map.entry("refact", GPT2_SINGLE_DIGITS),
            Map.entry("command-r", GPT2_SINGLE_DIGITS),
            Map.entry("smollm", GPT2_SINGLE_DIGITS),
            Map.entry("codeshell", GPT2_SINGLE_DIGITS),
            Map.entry("exaone", GPT2_SINGLE_DIGITS),
            Map.entry("llama3", LLAMA3),
            Map.entry("llama-v3", LLAMA3),
            Map.entry("llama-bpe", LLAMA3),
            Map.entry("smaug-bpe", LLAMA3),
            Map.entry("dbrx", LLAMA3),
            Map.entry("falcon3", LLAMA3),
            Map.entry("pixtral", LLAMA3),
            Map.entry("qwen2", QWEN2),
            Map.entry("deepseek-r1-qwen", QWEN2),
            Map.entry("stablelm2", QWEN2),
            Map.entry("megrez", QWEN2));

    static WordRule named(String preTokenizer) {
        WordRule rule = BY_NAME.get(preTokenizer);
        if (rule == null) {
            throw new TokenizerException("pre-tokenizer \"%s\" is unknown; expected one of %s"
                    .formatted(preTokenizer, BY_NAME.keySet().stream().sorted().toList()));
        }
        return rule;
    }

    /** Where the word that starts at {@code start} ends. */
    int wordEnd(String text, int start) {
        return switch (this) {
            case GPT2 -> gpt2(text, start);
            case GPT2_SINGLE_DIGITS -> isolatedDigit(text, start);
            case LLAMA3 -> llama3(text, start, 3);
            case QWEN2 -> llama3(text, start, 1);
        };
    }

    private static int isolatedDigit(String text, int start) {
        int first = text.codePointAt(start);
        if (CharacterClass.of(first) == CharacterClass.NUMBER) {
            return start + Character.charCount(first);
        }
        // The digit ends the text that the rule sees, so that no space is left to it.
        int spaces = run(text, start, text.length(), CharacterClass.SPACE);
        boolean beforeDigit = spaces > start
                && spaces < text.length()
                && CharacterClass.of(text.codePointAt(spaces)) == CharacterClass.NUMBER;
        return beforeDigit ? spaces : gpt2(text, start);
    }

    private static int gpt2(String text, int start) {
        int limit = text.length();
        int contraction = contraction(text, start, limit, false);
        if (contraction > start) {
            return contraction;
        }
        int body = text.charAt(start) == ' ' && start + 1 < limit ? start + 1 : start;
        CharacterClass kind = CharacterClass.of(text.codePointAt(body));
        if (kind != CharacterClass.SPACE) {
            return run(text, body, limit, kind);
        }
        return spaces(text, start, limit);
    }

    private static int llama3(String text, int start, int digits) {
        int limit = text.length();
        int contraction = contraction(text, start, limit, true);
        if (contraction > start) {
            return contraction;
        }
        int first = text.codePointAt(start);
        int second = start + Character.charCount(first);
        CharacterClass kind = CharacterClass.of(first);
        CharacterClass following = second < limit ? CharacterClass.of(text.codePointAt(second)) : CharacterClass.SPACE;
        if (kind == CharacterClass.LETTER) {
            return run(text, start, limit, CharacterClass.LETTER);
        }
        if (kind == CharacterClass.NUMBER) {
            return numbers(text, start, digits);
        }
        if (following == CharacterClass.LETTER && first != '\r' && first != '\n') {
            return run(text, second, limit, CharacterClass.LETTER);
        }
        if (kind == CharacterClass.OTHER || (first == ' ' && following == CharacterClass.OTHER)) {
            int end = run(text, kind == CharacterClass.OTHER ? start : second, limit, CharacterClass.OTHER);
            while (end < limit && isLineBreak(text.charAt(end))) {
                end++;
            }
            return end;
        }
        int end = run(text, start, limit, CharacterClass.SPACE);
        for (int i = end; i > start; i--) {
            if (isLineBreak(text.charAt(i - 1))) {
                return i;
            }
        }
        return spaces(text, start, limit);
    }

    /** The end of {@code 's 't 'm 'd 're 've 'll} at {@code start}, or {@code start}. */
    private static int contraction(String text, int start, int limit, boolean anyCase) {
        if (text.charAt(start) != '\'' || start + 1 >= limit) {
            return start;
        }
        char first = fold(text.charAt(start + 1), anyCase);
        if (first == 's' || first == 't' || first == 'm' || first == 'd') {
            return start + 2;
        }
        if (start + 2 < limit) {
            char second = fold(text.charAt(start + 2), anyCase);
            if (((first == 'r' || first == 'v') && second == 'e') || (first == 'l' && second == 'l')) {
                return start + 3;
            }
        }
        return start;
    }

    private static char fold(char character, boolean anyCase) {
        if (!anyCase) {
            return character;
        }
        return character == '\u017F' ? 's' : Character.toLowerCase(character); // ſ, as Unicode case folding has it
    }

    private static int run(String text, int start, int limit, CharacterClass kind) {
        int at = start;
        while (at < limit) {
            int character = text.codePointAt(at);
            if (CharacterClass.of(character) != kind) {
                break;
            }
            at += Character.charCount(character);
        }
        return at;
    }

    private static int numbers(String text, int start, int most) {
        int at = start;
        for (int i = 0; i < most && at < text.length(); i++) {
            int character = text.codePointAt(at);
            if (CharacterClass.of(character) != CharacterClass.NUMBER) {
                break;
            }
            at += Character.charCount(character);
        }
        return at;
    }

    /** {@code \s+(?!\S)|\s+}: all spaces at the end of the text, else all but the last, else the one. */
    private static int spaces(String text, int start, int limit) {
        int end = run(text, start, limit, CharacterClass.SPACE);
        return end == limit || end - start == 1 ? end : end - 1; // every space is one char
    }

    private static boolean isLineBreak(char character) {
        return character == '\r' || character == '\n';
    }
}
