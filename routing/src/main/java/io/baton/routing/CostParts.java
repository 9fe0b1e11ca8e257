package io.baton.routing;

/**
 * An estimated time to first token on a prefill and a decode node, or on a decode node alone, in microseconds.
 *
 * @param admission waiting for blocks and a place in the decode node's batch
 * @param queue waiting in the queue of the node that prefills
 * @param history computing or fetching the part of the cached history that the prefilling node lacks; 0 for local
 *     prefill
 * @param suffix computing what nobody has cached, or, for local prefill, what the decode node has not
 * @param transfer what KV frames take beyond the compute they hide behind
 * @param firstStep head and sampler, with the batch that runs
 */
public record CostParts(
        double admission, double queue, double history, double suffix, double transfer, double firstStep) {

    public double ttftMicros() {
        return admission + queue + history + suffix + transfer + firstStep;
    }

    /** Until the whole prompt's KV is on the decode node, counted from its admission. */
    public double prefillMicros() {
        return queue + history + suffix + transfer;
    }
}
