package io.baton.model.files;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * An object of a JSON file, read field by field. A field of another type than asked for is an error that names file and
 * field; one that is {@code null} is absent. Depth, text and number lengths are bounded, and so is the file itself.
 */
final class JsonFields {

    private static final int MAX_DEPTH = 64;
    private static final int MAX_TEXT = 16 << 20;
    private static final int MAX_NAME = 1 << 16;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxStringLength(MAX_TEXT)
                            .maxNameLength(MAX_NAME)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final Path file;
    private final String prefix;
    private final JsonNode object;

    private JsonFields(Path file, String prefix, JsonNode object) {
        this.file = file;
        this.prefix = prefix;
        this.object = object;
    }

    /** Reads a file of at most {@code most} bytes, which must hold one object. */
    static JsonFields read(Path file, int most) {
        return parse(file, BoundedText.bytes(file, most), 0);
    }

    /** Parses one object that starts at {@code offset} of a file. */
    static JsonFields parse(Path file, byte[] bytes, long offset) {
        JsonNode root;
        try {
            root = MAPPER.readTree(bytes);
        } catch (JacksonException e) {
            long at = e.getLocation() == null ? 0 : Math.max(0, e.getLocation().getByteOffset());
            throw ModelFileException.at(file, offset + at, "JSON", e.getOriginalMessage(), "well-formed JSON");
        }
        if (!root.isObject()) {
            throw ModelFileException.at(file, offset, "JSON", describe(root), "an object");
        }
        return new JsonFields(file, "", root);
    }

    Path file() {
        return file;
    }

    Collection<String> names() {
        return object.propertyNames();
    }

    int size() {
        return object.size();
    }

    boolean contains(String name) {
        return find(name, node -> true, "") != null;
    }

    Optional<String> text(String name) {
        return Optional.ofNullable(find(name, JsonNode::isString, "text")).map(JsonNode::asString);
    }

    OptionalLong integer(String name) {
        JsonNode node = find(name, found -> found.isIntegralNumber() && found.canConvertToLong(), "an integer");
        return node == null ? OptionalLong.empty() : OptionalLong.of(node.asLong());
    }

    OptionalDouble number(String name) {
        JsonNode node = find(name, JsonNode::isNumber, "a number");
        return node == null ? OptionalDouble.empty() : OptionalDouble.of(node.asDouble());
    }

    Optional<Boolean> flag(String name) {
        return Optional.ofNullable(find(name, JsonNode::isBoolean, "true or false"))
                .map(JsonNode::asBoolean);
    }

    Optional<JsonFields> object(String name) {
        return Optional.ofNullable(find(name, JsonNode::isObject, "an object"))
                .map(node -> new JsonFields(file, prefix + name + ".", node));
    }

    /** The elements of an array; none when it is absent. */
    List<JsonNode> array(String name) {
        JsonNode node = find(name, JsonNode::isArray, "an array");
        return node == null ? List.of() : List.copyOf(node.values());
    }

    /** The objects of an array of objects; none when it is absent. */
    List<JsonFields> objects(String name) {
        List<JsonNode> elements = array(name);
        for (JsonNode element : elements) {
            if (!element.isObject()) {
                throw wrong(name, describe(element), "an array of objects");
            }
        }
        return elements.stream()
                .map(element -> new JsonFields(file, prefix + name + "[].", element))
                .toList();
    }

    /** A field of any type. */
    Optional<JsonNode> any(String name) {
        return Optional.ofNullable(find(name, node -> true, ""));
    }

    String requireText(String name) {
        return text(name).orElseThrow(() -> wrong(name, "nothing", "text"));
    }

    long requireInteger(String name) {
        return integer(name).orElseThrow(() -> wrong(name, "nothing", "an integer"));
    }

    ModelFileException wrong(String name, Object found, String expected) {
        return ModelFileException.field(file, prefix + name, found, expected);
    }

    private @Nullable JsonNode find(String name, Predicate<JsonNode> fits, String expected) {
        JsonNode node = object.get(name);
        if (node == null || node.isNull()) {
            return null;
        }
        if (!fits.test(node)) {
            throw wrong(name, describe(node), expected);
        }
        return node;
    }

    /** A value in words, short whatever it is. */
    static String describe(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> "an object";
            case ARRAY -> "an array of " + node.size();
            case STRING -> '"' + abridged(node.asString()) + '"';
            default -> abridged(node.toString());
        };
    }

    private static String abridged(String text) {
        return text.length() <= 80 ? text : text.substring(0, 80) + "…";
    }
}
