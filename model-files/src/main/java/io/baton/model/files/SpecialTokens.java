package io.baton.model.files;

import java.util.OptionalInt;
import java.util.Set;

/**
 * Ids with a role, as far as the file names them.
 *
 * @param ends every id the file says ends a generation (end of text, of turn, of message), {@code eos} included
 */
public record SpecialTokens(
        OptionalInt bos, OptionalInt eos, OptionalInt unknown, OptionalInt padding, Set<Integer> ends) {

    public SpecialTokens {
        ends = Set.copyOf(ends);
    }
}
