package io.baton.gateway;

import io.baton.proto.v1.ChoiceFinish;
import io.baton.proto.v1.DecodeRequest;
import io.baton.proto.v1.DecodeToken;
import io.baton.proto.v1.FinishReason;
import io.baton.proto.v1.KnownOutput;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The answers of one request and how far each has come: what another decode node needs to go on with those that have
 * not ended. Holds each decode stream to its promises. Confined to the request's thread.
 */
final class Choices {

    private final int first;
    private final List<ChoiceProgress> all = new ArrayList<>(); // by number

    Choices(GenerateOrder order) {
        first = order.request().getFirstChoice();
        for (int i = 0; i < order.choices(); i++) {
            all.add(new ChoiceProgress(first + i, order.emitted()));
        }
    }

    /** Those that have not ended; at least one until the request is answered. */
    List<ChoiceProgress> open() {
        return all.stream().filter(choice -> choice.end().isEmpty()).toList();
    }

    /** Known output that the next node computes with the prompt: that of the only open choice; of several none. */
    int[] withPrompt() {
        List<ChoiceProgress> open = open();
        return open.size() == 1 ? open.getFirst().output() : new int[0];
    }

    /** Output tokens of all, those the client came with included. */
    int tokens() {
        return all.stream().mapToInt(ChoiceProgress::tokens).sum();
    }

    /** Tokens relayed of the longest answer: one of each comes in a step. */
    int longestRelayed() {
        return all.stream().mapToInt(ChoiceProgress::relayed).max().orElse(0);
    }

    /** Says what to generate, and what is known of it. */
    void describe(DecodeRequest.Builder decode) {
        decode.setChoices(all.size()).setFirstChoice(first);
        if (all.size() == 1) {
            decode.addAllEmittedTokenIds(ids(all.getFirst()));
        } else if (tokens() > 0) {
            for (ChoiceProgress choice : open()) {
                decode.addKnownOutputs(
                        KnownOutput.newBuilder().setChoice(choice.number()).addAllEmittedTokenIds(ids(choice)));
            }
        }
    }

    private static List<Integer> ids(ChoiceProgress choice) {
        return Arrays.stream(choice.output()).boxed().toList();
    }

    /** Counts a token of a node; false when it was known before. */
    boolean add(DecodeToken token, String node) {
        ChoiceProgress choice = open(token.getChoice(), node);
        if (token.getIndex() > choice.tokens()) {
            throw broken(
                    node,
                    "token %d of choice %d, expected token %d"
                            .formatted(token.getIndex(), choice.number(), choice.tokens()));
        }
        if (token.getIndex() < choice.tokens()) {
            return false;
        }
        choice.add(token.getTokenId());
        return true;
    }

    /** A node says that a choice has ended. */
    void finish(int number, FinishReason reason, String text, String node) {
        open(number, node)
                .finish(ChoiceFinish.newBuilder()
                        .setChoice(number)
                        .setReason(reason)
                        .setText(text)
                        .build());
    }

    /** How each ended, by number; {@code node} has just said that all have. */
    List<ChoiceFinish> ends(String node) {
        List<Integer> missing = open().stream().map(ChoiceProgress::number).toList();
        if (!missing.isEmpty()) {
            throw broken(node, "the end, expected the ends of choices %s first".formatted(missing));
        }
        return all.stream().flatMap(choice -> choice.end().stream()).toList();
    }

    private ChoiceProgress open(int number, String node) {
        for (ChoiceProgress choice : all) {
            if (choice.number() == number && choice.end().isEmpty()) {
                return choice;
            }
        }
        throw broken(
                node,
                "something of choice %d, expected one of %s"
                        .formatted(
                                number,
                                open().stream().map(ChoiceProgress::number).toList()));
    }

    private static StatusRuntimeException broken(String node, String found) {
        return Status.INTERNAL
                .withDescription("%s sent %s".formatted(node, found))
                .asRuntimeException();
    }
}
