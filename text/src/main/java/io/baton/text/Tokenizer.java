package io.baton.text;

import io.baton.model.files.TextRules;
import io.baton.model.files.TokenKind;
import io.baton.model.files.VocabularyFile;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/** One model's translation between text and token ids. Immutable; any thread may use it. */
public final class Tokenizer {

    /** Control tokens that end a turn or a text in published models, for files that name only one of them. */
    private static final Set<String> END_TEXTS = Set.of(
            "</s>",
            "<|endoftext|>",
            "<|end_of_text|>",
            "<|eot_id|>",
            "<|eom_id|>",
            "<|im_end|>",
            "<|end|>",
            "<end_of_turn>",
            "<EOT>",
            "<\uFF5Cend\u2581of\u2581sentence\uFF5C>");

    private final VocabularyFile vocabulary;
    private final TextEncoder encoder;
    private final Specials userDefined;
    private final Specials special; // user-defined ones included
    private final Set<Integer> ends;
    private final boolean marksSpaces; // in normalized text, not only when a word is cut

    private Tokenizer(VocabularyFile vocabulary) {
        this.vocabulary = vocabulary;
        encoder = switch (vocabulary.model()) {
            case "llama" -> new SentencePieceEncoder(vocabulary);
            case "gpt2" -> new ByteLevelEncoder(vocabulary);
            default ->
                throw new TokenizerException(
                        "vocabulary model \"%s\" is unknown; expected llama (SentencePiece BPE) or gpt2 (byte-level BPE)"
                                .formatted(vocabulary.model()));
        };
        marksSpaces = vocabulary.model().equals("llama") && !vocabulary.rules().prefixOnce();
        userDefined = new Specials(vocabulary.rules());
        special = new Specials(vocabulary.rules());
        Set<Integer> found = new HashSet<>(vocabulary.special().ends());
        for (int id = 0; id < vocabulary.size(); id++) {
            String text = vocabulary.tokens().get(id);
            TokenKind kind = vocabulary.kinds().get(id);
            switch (kind) {
                case USER_DEFINED -> {
                    add(userDefined, text, id);
                    add(special, text, id);
                }
                case CONTROL, UNKNOWN -> {
                    add(special, text, id);
                    if (END_TEXTS.contains(text)) {
                        found.add(id);
                    }
                }
                case NORMAL, UNUSED, BYTE -> {}
            }
        }
        ends = Set.copyOf(found);
    }

    /**
     * The tokenizer of a vocabulary.
     *
     * @throws TokenizerException when the vocabulary's algorithm is none of ours or the vocabulary contradicts itself
     */
    public static Tokenizer of(VocabularyFile vocabulary) {
        return new Tokenizer(vocabulary);
    }

    /**
     * The tokens of a text, in about linear time. User-defined tokens are always taken whole; the literal text of a
     * control token is plain text unless {@code options} says otherwise. Halves of surrogate pairs become U+FFFD.
     */
    public int[] encode(String text, EncodeOptions options) {
        String whole = Surrogates.repaired(text);
        IntList tokens = new IntList(whole.length() / 3);
        if (options.addBos() && vocabulary.addBos()) {
            vocabulary.special().bos().ifPresent(tokens::add);
        }
        Specials specials = options.parseSpecial() ? special : userDefined;
        around(specials.asWritten, whole, tokens, (plain, first) -> encode(plain, first, specials.normalized, tokens));
        return tokens.toArray();
    }

    /** What happens to the text between special tokens; {@code first} if it starts the text. */
    private interface Between {
        void encode(String plain, boolean first);
    }

    private void around(SpecialTexts specials, String whole, IntList tokens, Between between) {
        TextRules rules = vocabulary.rules();
        int from = 0;
        while (from < whole.length()) {
            SpecialTexts.Find find = specials.next(whole, from);
            int end = find.start();
            while (rules.absorbsBefore().contains(find.token()) && end > from && isSpace(whole.charAt(end - 1))) {
                end--;
            }
            if (end > from) {
                between.encode(whole.substring(from, end), from == 0);
            }
            if (find.token() >= 0) {
                tokens.add(find.token());
            }
            from = find.end();
            while (rules.absorbsAfter().contains(find.token())
                    && from < whole.length()
                    && isSpace(whole.charAt(from))) {
                from++;
            }
        }
    }

    /** Encodes text that has none of the special tokens that are found as written. */
    private void encode(String plain, boolean first, SpecialTexts normalized, IntList tokens) {
        String composed = composed(plain);
        boolean prefix = spaceGoesBefore(composed, first);
        if (normalized.isEmpty()) {
            encoder.encode(composed, prefix, tokens);
        } else if (marksSpaces) {
            around(normalized, marked(composed, prefix), tokens, (part, _) -> encoder.encode(part, false, tokens));
        } else {
            around(normalized, composed, tokens, (part, starts) -> encoder.encode(part, prefix && starts, tokens));
        }
    }

    /** A special token's text as it stands in the text it is looked for in. */
    private void add(Specials specials, String text, int id) {
        if (!vocabulary.rules().foundNormalized().contains(id)) {
            specials.asWritten.add(text, id);
        } else {
            String composed = composed(text);
            specials.normalized.add(marksSpaces ? marked(composed, vocabulary.addSpacePrefix()) : composed, id);
        }
    }

    private String composed(String text) {
        return vocabulary.rules().compose() ? Composition.of(text) : text;
    }

    private static String marked(String text, boolean prefix) {
        String spaces = text.replace(' ', SentencePieceEncoder.SPACE);
        return prefix ? SentencePieceEncoder.SPACE + spaces : spaces;
    }

    private static boolean isSpace(char character) {
        return CharacterClass.of(character) == CharacterClass.SPACE;
    }

    private boolean spaceGoesBefore(String text, boolean first) {
        if (!vocabulary.addSpacePrefix()) {
            return false;
        }
        return !vocabulary.rules().prefixOnce() || (first && text.charAt(0) != ' ' && text.charAt(0) != '\u2581');
    }

    /** The text of tokens; what is not UTF-8 becomes U+FFFD. */
    public String decode(int[] tokens) {
        IncrementalDetokenizer detokenizer = detokenizer(new int[0]);
        StringBuilder text = new StringBuilder();
        for (int token : tokens) {
            text.append(detokenizer.append(token));
        }
        return text.append(detokenizer.finish()).toString();
    }

    /**
     * A detokenizer for the tokens that follow a prompt.
     *
     * @param promptTail the prompt or its last few tokens: whether a bos comes right before decides about the first
     *     space, and a character of which the tail has only the first bytes comes out with the token that completes it
     */
    public IncrementalDetokenizer detokenizer(int[] promptTail) {
        return new IncrementalDetokenizer(this, promptTail);
    }

    public int vocabularySize() {
        return vocabulary.size();
    }

    public OptionalInt bos() {
        return vocabulary.special().bos();
    }

    /** Tokens that end a generation. */
    public Set<Integer> endOfSequence() {
        return ends;
    }

    /** The raw bytes of a token as it is printed: none for control and unknown tokens. */
    public byte[] bytes(int token) {
        String text = text(token);
        return switch (vocabulary.kinds().get(token)) {
            case NORMAL, UNUSED -> encoder.bytes(text);
            case USER_DEFINED -> text.getBytes(StandardCharsets.UTF_8);
            case BYTE -> {
                int value = SentencePieceEncoder.byteValue(text);
                yield value < 0 ? new byte[0] : new byte[] {(byte) value};
            }
            case CONTROL, UNKNOWN -> new byte[0];
        };
    }

    /** A token as the vocabulary spells it, control tokens included; for people. */
    public String text(int token) {
        List<String> tokens = vocabulary.tokens();
        if (token < 0 || token >= tokens.size()) {
            throw new IllegalArgumentException(
                    "token %d is not in the vocabulary; expected 0 to %d".formatted(token, tokens.size() - 1));
        }
        return tokens.get(token);
    }

    boolean isBos(int token) {
        OptionalInt bos = vocabulary.special().bos();
        return bos.isPresent() && bos.getAsInt() == token;
    }

    /** Whether encoding puts a space before a text, which decoding must take off again. */
    boolean spacePrefix() {
        return vocabulary.addSpacePrefix();
    }

    /** Special tokens by where they are looked for. */
    private static final class Specials {
        final SpecialTexts asWritten;
        final SpecialTexts normalized;

        Specials(TextRules rules) {
            asWritten = new SpecialTexts(rules.wholeWords());
            normalized = new SpecialTexts(rules.wholeWords());
        }
    }
}
