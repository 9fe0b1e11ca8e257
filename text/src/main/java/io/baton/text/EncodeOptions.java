package io.baton.text;

/**
 * How a text becomes tokens.
 *
 * @param addBos puts the bos token first if the vocabulary asks for one; false for text that continues another or whose
 *     template has it already
 * @param parseSpecial takes the literal text of a control token ({@code <|eot_id|>}) for that token; false for anything
 *     a user typed
 */
public record EncodeOptions(boolean addBos, boolean parseSpecial) {

    /** A plain prompt: bos as the vocabulary asks, no special texts. */
    public static final EncodeOptions PROMPT = new EncodeOptions(true, false);

    /** Text inside a sequence: nothing added, no special texts. */
    public static final EncodeOptions PLAIN = new EncodeOptions(false, false);

    /** A rendered chat template: it has written its own bos and special texts. */
    public static final EncodeOptions TEMPLATE = new EncodeOptions(false, true);
}
