package io.baton.model.files;

/** Single elements of unquantised tensors. */
final class Elements {

    private Elements() {}

    /** The element at {@code index} of a tensor of F32, F16 or BF16, exactly. */
    static float read(Tensor tensor, long index) {
        return switch (tensor.type()) {
            case F32 -> tensor.bytes().get(KeyArray.FLOAT, index * Float.BYTES);
            case F16 -> Float.float16ToFloat(tensor.bytes().get(KeyArray.SHORT, index * Short.BYTES));
            case BF16 -> Float.intBitsToFloat(tensor.bytes().get(KeyArray.SHORT, index * Short.BYTES) << 16);
            default -> throw new IllegalArgumentException(tensor + " has no single elements");
        };
    }
}
