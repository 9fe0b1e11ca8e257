package io.baton.prefill;

/** A request that is refused before anything was reserved. */
final class RefusedException extends Exception {

    private static final long serialVersionUID = 1L;

    private final transient Refusal refusal;

    RefusedException(Refusal refusal) {
        super(refusal.status().getDescription());
        this.refusal = refusal;
    }

    Refusal refusal() {
        return refusal;
    }
}
