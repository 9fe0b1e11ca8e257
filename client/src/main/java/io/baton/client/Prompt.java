package io.baton.client;

import java.util.List;

/** What to continue. */
public sealed interface Prompt {

    /** Tokenized by the gateway with the model's own rules. */
    record Text(String text) implements Prompt {}

    /** Used as they are. */
    record Tokens(List<Integer> ids) implements Prompt {
        public Tokens {
            ids = List.copyOf(ids);
        }
    }

    /** Rendered with the model's chat template. */
    record Chat(List<Message> messages) implements Prompt {
        public Chat {
            messages = List.copyOf(messages);
        }
    }

    /** @param role {@code system}, {@code user}, {@code assistant} or {@code tool} */
    record Message(String role, String content) {}
}
