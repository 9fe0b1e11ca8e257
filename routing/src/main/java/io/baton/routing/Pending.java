package io.baton.routing;

/**
 * Work given to a node that its reports do not show yet.
 *
 * @param prefillTokens tokens it will have to compute
 * @param sequences sequences it will have to decode
 * @param blocks blocks those will pin
 */
public record Pending(long prefillTokens, int sequences, int blocks) {

    public static final Pending NONE = new Pending(0, 0, 0);
}
