// A payShield client as the Java world writes it: data streams, a length in front
// read as an unsigned short, and readFully.
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

public class Client {
    private static final byte[] HEADER = "0000".getBytes(StandardCharsets.US_ASCII);

    private final DataInputStream in;
    private final DataOutputStream out;

    private Client(Socket socket) throws IOException {
        in = new DataInputStream(socket.getInputStream());
        out = new DataOutputStream(socket.getOutputStream());
    }

    private byte[] transact(byte[] command) throws IOException {
        out.writeShort(HEADER.length + command.length); // three writes, as streams tend to do
        out.write(HEADER);
        out.write(command);
        out.flush();
        byte[] reply = new byte[in.readUnsignedShort()];
        in.readFully(reply);
        if (!Arrays.equals(Arrays.copyOf(reply, 4), HEADER) || reply[4] != command[0] || reply[5] != command[1] + 1) {
            throw new IOException("not a reply to " + new String(command, 0, 2, StandardCharsets.US_ASCII));
        }
        return Arrays.copyOfRange(reply, 6, reply.length);
    }

    private static byte[] join(Object... parts) throws IOException {
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        for (Object part : parts) {
            joined.write(part instanceof byte[] ? (byte[]) part : part.toString().getBytes(StandardCharsets.US_ASCII));
        }
        return joined.toByteArray();
    }

    private static String text(byte[] b, int from, int to) {
        return new String(b, from, to - from, StandardCharsets.US_ASCII);
    }

    private String say(String name, byte[] reply) {
        String body = text(reply, 2, reply.length);
        System.out.println(name + " " + text(reply, 0, 2) + " " + body);
        return body;
    }

    public static void main(String[] args) throws IOException {
        try (Socket socket = new Socket(args[0], Integer.parseInt(args[1]))) {
            Client hsm = new Client(socket);
            String load = args[2], mac = args[3];

            byte[] r = hsm.transact(join("NC"));
            System.out.println("NC " + text(r, 0, 2) + " " + text(r, 2, 18) + " " + text(r, 18, r.length));
            r = hsm.transact(join("NO00"));
            System.out.println(String.join(" ", "NO", text(r, 0, 2), text(r, 2, 3), text(r, 3, 4), text(r, 4, 6), text(r, 6, 15)));
            r = hsm.transact(join("B2", "0008", new byte[] {0x00, 0x19, 0x25, (byte) 0xFF}, "ping"));
            StringBuilder hex = new StringBuilder();
            for (int i = 2; i < r.length; i++) {
                hex.append(String.format("%02X", r[i]));
            }
            System.out.println("B2 " + text(r, 0, 2) + " " + hex);
            r = hsm.transact(join("N0016"));
            System.out.println("N0 " + text(r, 0, 2) + " " + (r.length - 2));
            hsm.say("BU", hsm.transact(join("BU021K", load)));
            hsm.say("BU", hsm.transact(join("BUFF1K", load, ";FFF;000")));

            String message = "001Ca message of twenty-eight by";
            String made = hsm.say("M6", hsm.transact(join("M600132003K", mac, message)));
            hsm.say("M8", hsm.transact(join("M800132003K", mac, message, made)));
            hsm.say("M8", hsm.transact(join("M800132003K", mac, message, "0000000000000000")));
            hsm.say("M6", hsm.transact(join("M600112FFFK", mac, message)));
            hsm.say("ZZ", hsm.transact(join("ZZ")));
        }
    }
}
