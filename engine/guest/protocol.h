// SPDX-License-Identifier: MIT
// The conversation between isol8 (the host) and isol8-guest (process 1 of a sandbox) over the
// container's standard input and output. This header is its only definition and is used by both
// sides; it needs no Qt, allocates nothing and throws nothing.
//
// A frame is a 12-byte header and a payload. Integers are little-endian.
//
//   offset 0  u8   type      Type; 0 is padding: a zero byte where a header is due is skipped
//          1  u8   stream    Stream, where the type needs one; else 0
//          2  u16  reserved  0
//          4  u32  id        the run, operation or carried connection that the frame belongs to;
//          ids
//                            count up from 1 and are never used twice within a conversation; 0
//                            where it belongs to none. Runs and operations are numbered by the
//                            host, connections by the guest, with connectionIdBit set
//          8  u32  length    of the payload, at most maxPayloadBytes
//
// Opening. The host sends resyncBytes zero bytes when the guest may have talked to somebody before
// (they end whatever frame a dead host left unfinished, then count as padding), then Hello with its
// version and 16 random bytes. The guest drops all that belongs to an earlier host and answers
// Hello with the same 16 bytes; the host ignores every byte before that answer. So a sandbox can be
// taken over at any time, and a program that prints frames cannot forge the answer.
//
// Direct socket. A host on the guest's machine may have mounted a folder of its own at
// hostMountPath. Once it has the answer to Hello, and so before any program runs, it listens on the
// Unix socket hostSocketPath, sends Connect with a token, and then nothing until it is answered.
// The guest connects and writes the token; the host passes one end of a pair of sockets to the
// first who does (unix(7), SCM_RIGHTS, with one byte), and removes what it listened on. That pair
// is the direct socket: neither a name of it nor its other end is in the sandbox. The guest's first
// frame there is Connected with 0, and from then on both sides speak there alone. Where it cannot
// connect, or is given none, Connected with an errno comes on standard output, and everything stays
// as it was. Standard input and output stay open: the end of either way ends the conversation.
// Bytes on standard input, while the socket is in use, are a new host's: the guest drops the socket
// and what came on it.
//
// A run. Spec frames carry the encoded RunSpec in pieces, Start begins it; the guest answers
// Started (or Exited with Outcome::NotStarted), sends Output, and at last Exited: after that frame
// no process of the run is left. Stdin, StdinEnd, Signal, Resize and Kill are ignored for ids that
// do not run. One run at a time; Start during another is answered with Exited, Outcome::NotStarted,
// EBUSY.
//
// Credit. A sender of Output, Stdin or FileData may have at most the window's bytes unacknowledged;
// Credit gives back what the receiver has consumed. Each operation starts with a full window.
// Control frames need no credit, so a flood of output never delays a signal.
//
// Files. Each operation has an id and ends with Done. Everything is done as the program's user, but
// for the put of a file that was made ahead of a run (below), and below /sandbox, without following
// links out of it. Put: FilePut, FileData…, FileEnd, then Done. Get: FileGet is answered by
// FileStat, FileData…, Done. List: FileEntry…, Done. FileAbort ends one early. Paths are absolute
// below /sandbox or relative to it. An operation that is under way when everything is killed at the
// end of a run ends with EINTR and may be asked for again. At most maxFileOperations are open at a
// time; one more is answered with EBUSY.
//
// Carried connections. For a run whose RunSpec has RunFlag::CarryConnections the guest listens on
// 127.0.0.1, port carriedPort, before the program starts and until the run ends. Every connection
// that the program opens there is told with ConnectionOpened and is from then on a stream of bytes
// to the host: ConnectionData, with a window of connectionWindowBytes in each direction, given back
// with ConnectionCredit; each direction ends with its own ConnectionEnd. ConnectionClosed is the
// guest's last frame of a connection: after both ends, after the program broke it off, or in answer
// to the host's ConnectionReset. The end of the run is the end of its connections, before Exited
// and without a frame for each. At most maxConnections are open at a time; the program's next ones
// wait in the kernel's bounded queue until one of them is closed. Frames of the host for
// connections that are no more are ignored.
//
// Ahead of a run. In a sandbox in which nothing has run since it was made or scrubbed, the host may
// have the next run's interpreter started: Spec frames, then Prestart with the path of the file
// that it will open. The guest makes an empty file there and takes a lease on it (fcntl(2),
// F_SETLEASE: whoever opens it has to wait), starts the program with just this specification, stops
// it (SIGSTOP) when it comes to open the file, and says Prestarted. The host puts the file, which
// the guest writes into the empty one. A Start with the same specification, byte for byte, lets the
// program go on: its open(2), which the stop interrupted, begins anew. So a program that was
// started ahead differs from any other in nothing but the time of its start. Whatever else the host
// asks for in between, another specification or another file, ends it first.
//
// With PrestartFlag::KeepZygote the guest may keep an interpreter that stands still there for good,
// in every later run and scrub, and have the next ones be copies of it (zygote.h). Of a copy the
// same is true but that what an interpreter draws at random when it starts (the seed of Python's
// hashes) is that of all copies of this sandbox, which are one tenant's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace isol8::guest {

inline constexpr std::uint32_t protocolVersion = 1;
inline constexpr std::size_t headerBytes = 12;
inline constexpr std::size_t maxPayloadBytes = 64 * 1024;
inline constexpr std::size_t nonceBytes = 16;
inline constexpr std::size_t tokenBytes = 16;
inline constexpr std::size_t resyncBytes = maxPayloadBytes + headerBytes;
/// Encoded RunSpec: code is a file, so this bounds arguments and environment.
inline constexpr std::size_t maxSpecBytes = 8 * 1024 * 1024;
inline constexpr std::size_t maxPathBytes = 4095;
inline constexpr int maxFileOperations = 4;
inline constexpr std::uint32_t permissionBits = 0777; ///< Those of a mode that count.
inline constexpr std::uint64_t unknownSize = ~0ULL; ///< Of a file that is put.

/// Unacknowledged bytes per stream.
inline constexpr std::uint32_t outputWindowBytes = 1024 * 1024;
inline constexpr std::uint32_t stdinWindowBytes = 256 * 1024;
inline constexpr std::uint32_t fileWindowBytes = 256 * 1024;
inline constexpr std::uint32_t connectionWindowBytes = 256 * 1024;

inline constexpr int maxConnections = 128;
inline constexpr std::uint32_t connectionIdBit = 0x80000000;
inline constexpr std::uint16_t carriedPort = 8118;

/// Where the volume with the guest is mounted, and the program in it.
inline constexpr char mountPath[] = "/.isol8";
inline constexpr char executablePath[] = "/.isol8/guest";
/// Where the folder with the host's own socket is mounted, and the socket in it.
inline constexpr char hostMountPath[] = "/.isol8-host";
inline constexpr char hostSocketPath[] = "/.isol8-host/socket";
inline constexpr char hostSocketName[] = "socket";
/// The program's user and group in every sandbox.
inline constexpr std::uint32_t sandboxUid = 100;
inline constexpr std::uint32_t sandboxGid = 101;
inline constexpr std::uint32_t zygoteUid = 102; ///< Nobody else's.

enum class Type : std::uint8_t {
    Padding = 0,

    Hello = 1, ///< Both ways: u32 version, 16 bytes nonce; from the guest also u32 cgroup version
               ///< (0, 1, 2).
    Ping = 2, ///< Host: answered with Pong of the same id.
    Pong = 3, ///< Guest.
    Shutdown = 4, ///< Host: kill everything and exit.
    Fault = 5, ///< Guest: text; it then kills everything and exits.
    Connect = 6, ///< Host: tokenBytes random bytes, to be the first on the direct socket.
    Connected = 7, ///< Guest: u32 errno (0: the direct socket is in use).

    Spec = 16, ///< Host: a piece of the RunSpec.
    Start = 17, ///< Host: u64 milliseconds until the time-out, 0 for none; then perhaps u32 id of
                ///< a FilePut to wait for: if that fails, NotStarted with ECANCELED.
    Started = 18, ///< Guest: u32 process id, u32 1 if it was started ahead, else 0.
    Stdin = 19, ///< Host.
    StdinEnd = 20, ///< Host.
    Output = 21, ///< Guest, with stream Stdout or Stderr.
    Credit = 22, ///< u32 bytes: host with Stdout, Stderr or File; guest with Stdin or File.
    Signal = 23, ///< Host: u32 signal number for the program's process group.
    Resize = 24, ///< Host: u16 rows, u16 columns.
    Kill = 25, ///< Host: end the run now; answered by its Exited with Outcome::Killed.
    Exited = 26, ///< Guest: RunReport.
    Usage = 27, ///< Guest, a few times a second during a run with RunFlag::UsageReports: u64
                ///< microseconds of processor time since its start, u64 bytes of memory now.

    FilePut = 32, ///< Host: u32 mode, u64 size (or unknownSize), path. Missing folders are made.
    FileData = 33, ///< Both ways.
    FileEnd = 34, ///< Host: the file is complete; only now does it take the place of an older one.
    FileGet = 35, ///< Host: u64 largest size wanted, path.
    FileList = 36, ///< Host: path.
    FileStat = 37, ///< Host: path. Guest: FileEntry's payload without a name, then Done.
    FileEntry = 38, ///< Guest: u8 kind (f d l o), u32 mode, u64 size, i64 mtime in seconds, name.
    FileMakeDirectory = 39, ///< Host: u32 mode, path. Made with its parents unless it exists.
    FileRename = 40, ///< Host: u32 length of the first path, first path, second path.
    FileRemove = 41, ///< Host: path; folders with all in them.
    FileAbort = 42, ///< Host: end operation id; answered by Done with ECANCELED.
    Done = 43, ///< Guest: u32 errno (0: success), text.

    Scrub = 48, ///< Host: make the sandbox as new.
    Scrubbed = 49, ///< Guest: u32 errno (0: proved clean), text naming what was left.

    ConnectionOpened = 64, ///< Guest: u32 id of the run whose program connected.
    ConnectionData = 65, ///< Both ways.
    ConnectionCredit = 66, ///< Both ways: u32 bytes.
    ConnectionEnd = 67, ///< Both ways: no more data in this direction.
    ConnectionReset = 68, ///< Host: end it at once, so that the program sees a reset.
    ConnectionClosed = 69, ///< Guest: u32 errno (0: both directions had ended).

    Prestart = 80, ///< Host: u32 flags (PrestartFlag), path of the program's file.
    Prestarted = 81, ///< Guest: u32 errno (0: it waits), u64 bytes of memory that the sandbox uses.
};

enum class Stream : std::uint8_t { None = 0, Stdin = 1, Stdout = 2, Stderr = 3, File = 4 };

struct Header {
    Type type = Type::Padding;
    Stream stream = Stream::None;
    std::uint32_t id = 0;
    std::uint32_t length = 0;
};

inline void storeU16(unsigned char* to, std::uint16_t value)
{
    to[0] = static_cast<unsigned char>(value);
    to[1] = static_cast<unsigned char>(value >> 8);
}

inline void storeU32(unsigned char* to, std::uint32_t value)
{
    for (int i = 0; i < 4; ++i)
        to[i] = static_cast<unsigned char>(value >> (8 * i));
}

inline void storeU64(unsigned char* to, std::uint64_t value)
{
    for (int i = 0; i < 8; ++i)
        to[i] = static_cast<unsigned char>(value >> (8 * i));
}

inline std::uint16_t loadU16(const unsigned char* from)
{
    return static_cast<std::uint16_t>(from[0] | from[1] << 8);
}

inline std::uint32_t loadU32(const unsigned char* from)
{
    std::uint32_t value = 0;
    for (int i = 3; i >= 0; --i)
        value = value << 8 | from[i];
    return value;
}

inline std::uint64_t loadU64(const unsigned char* from)
{
    return static_cast<std::uint64_t>(loadU32(from + 4)) << 32 | loadU32(from);
}

inline void encodeHeader(unsigned char (&to)[headerBytes], const Header& header)
{
    to[0] = static_cast<unsigned char>(header.type);
    to[1] = static_cast<unsigned char>(header.stream);
    storeU16(to + 2, 0);
    storeU32(to + 4, header.id);
    storeU32(to + 8, header.length);
}

/// Splits a byte stream into frames, however it was cut. Keeps one payload; allocates nothing.
class FrameParser {
public:
    enum class Status {
        NeedMore, ///< All bytes are used up.
        Frame, ///< header() and payload() hold one; valid until the next call.
        Malformed, ///< Reserved bits or a payload over the bound: end the conversation.
    };

    /// Takes bytes from @p data up to the end of one frame and advances @p data and @p size past
    /// them.
    Status feed(const unsigned char*& data, std::size_t& size)
    {
        if (m_isComplete) {
            m_isComplete = false;
            m_have = 0;
        }
        while (m_have < headerBytes) {
            if (size == 0)
                return Status::NeedMore;
            if (m_have == 0 && *data == 0) { // padding
                ++data;
                --size;
                continue;
            }
            m_head[m_have++] = *data++;
            --size;
            if (m_have == headerBytes) {
                m_header = { static_cast<Type>(m_head[0]), static_cast<Stream>(m_head[1]),
                    loadU32(m_head + 4), loadU32(m_head + 8) };
                if (loadU16(m_head + 2) != 0 || m_header.length > maxPayloadBytes
                    || m_head[1] > static_cast<unsigned char>(Stream::File))
                    return Status::Malformed;
            }
        }
        const std::size_t missing = headerBytes + m_header.length - m_have;
        const std::size_t taken = missing < size ? missing : size;
        if (taken > 0)
            std::memcpy(m_payload + (m_have - headerBytes), data, taken);
        m_have += taken;
        data += taken;
        size -= taken;
        if (taken < missing)
            return Status::NeedMore;
        m_isComplete = true;
        return Status::Frame;
    }

    /// Forgets what was taken: the stream is another one from now on.
    void reset()
    {
        m_isComplete = false;
        m_have = 0;
    }

    [[nodiscard]] const Header& header() const { return m_header; }
    [[nodiscard]] const unsigned char* payload() const { return m_payload; }

private:
    std::size_t m_have = 0;
    bool m_isComplete = false;
    Header m_header;
    unsigned char m_head[headerBytes] = {};
    unsigned char m_payload[maxPayloadBytes] = {};
};

/// Reads the fields of a payload in order. After a read past the end everything is zero and
/// isValid() is false: check it once at the end.
class Reader {
public:
    Reader(const unsigned char* data, std::size_t size)
        : m_data(data)
        , m_size(size)
    {
    }

    std::uint8_t u8() { return take(1) ? m_data[m_at - 1] : 0; }
    std::uint16_t u16() { return take(2) ? loadU16(m_data + m_at - 2) : 0; }
    std::uint32_t u32() { return take(4) ? loadU32(m_data + m_at - 4) : 0; }
    std::uint64_t u64() { return take(8) ? loadU64(m_data + m_at - 8) : 0; }

    /// @p size bytes, or nullptr.
    const unsigned char* bytes(std::size_t size)
    {
        return take(size) ? m_data + m_at - size : nullptr;
    }

    [[nodiscard]] std::size_t left() const { return m_size - m_at; }
    [[nodiscard]] bool isValid() const { return m_isValid; }

private:
    bool take(std::size_t size)
    {
        if (!m_isValid || size > m_size - m_at) {
            m_isValid = false;
            return false;
        }
        m_at += size;
        return true;
    }

    const unsigned char* m_data;
    std::size_t m_size;
    std::size_t m_at = 0;
    bool m_isValid = true;
};

// RunSpec, as carried by Spec frames:
//   u32 flags (RunFlag)
//   u16 rows, u16 columns          of the terminal, when RunFlag::Terminal
//   u32 length, working directory
//   u32 count, then for each: u32 length, bytes     argv; argv[0] is looked up in PATH of the
//   environment u32 count, then for each: u32 length, bytes     environment, NAME=value
// Strings hold no zero byte. All limits but the time are the container's own.
enum RunFlag : std::uint32_t {
    Terminal = 1, ///< Run on a pseudo-terminal; all output is Stdout.
    StdinOpen = 2, ///< Standard input is what Stdin frames bring; else it is empty.
    CarryConnections = 4, ///< Listen for the program's connections and carry them to the host.
    UsageReports = 8, ///< Send Usage frames where the cgroup tells.
    MayTrace = 16, ///< Leave ptrace(2) to the container's own filter of system calls.
};

/// First field of Prestart.
enum PrestartFlag : std::uint32_t {
    KeepZygote = 1, ///< Many more will follow with this specification: keep one to copy.
};

/// How a run ended, first field of RunReport.
enum class Outcome : std::uint32_t {
    NotStarted = 0, ///< value is an errno (perhaps with a flag below); nothing ran.
    Exited = 1, ///< value is the exit code.
    Signalled = 2, ///< value is the signal number.
    TimedOut = 3, ///< The guest's own deadline; value is 0.
    Killed = 4, ///< By Kill, or because a new host said Hello; value is 0.
};

/// Set in RunReport::value of a run that was not started because of its working directory.
inline constexpr std::uint32_t workingDirectoryFlag = 0x10000;
/// Set where the guest could not listen for the program's connections.
inline constexpr std::uint32_t listenerFlag = 0x20000;

/// Payload of Exited.
struct RunReport {
    Outcome outcome = Outcome::NotStarted;
    std::uint32_t value = 0;
    std::uint32_t oomKills = 0; ///< Of the container's memory cgroup during the run.
    std::uint32_t pidsRefused = 0; ///< Forks that the pids cgroup refused during the run.
    std::uint64_t wallMicroseconds = 0;
    std::uint64_t userMicroseconds = 0; ///< Of the program and every child that was waited for.
    std::uint64_t systemMicroseconds = 0;
    std::uint64_t peakMemoryBytes
        = 0; ///< Of the cgroup where it can tell, else of the largest process.

    bool operator==(const RunReport&) const = default;

    static constexpr std::size_t encodedBytes = 4 * 4 + 4 * 8;

    void encode(unsigned char (&to)[encodedBytes]) const
    {
        storeU32(to, static_cast<std::uint32_t>(outcome));
        storeU32(to + 4, value);
        storeU32(to + 8, oomKills);
        storeU32(to + 12, pidsRefused);
        storeU64(to + 16, wallMicroseconds);
        storeU64(to + 24, userMicroseconds);
        storeU64(to + 32, systemMicroseconds);
        storeU64(to + 40, peakMemoryBytes);
    }

    /// False when @p reader does not hold exactly one report.
    [[nodiscard]] bool decode(Reader reader)
    {
        const std::uint32_t kind = reader.u32();
        outcome = static_cast<Outcome>(kind);
        value = reader.u32();
        oomKills = reader.u32();
        pidsRefused = reader.u32();
        wallMicroseconds = reader.u64();
        userMicroseconds = reader.u64();
        systemMicroseconds = reader.u64();
        peakMemoryBytes = reader.u64();
        return reader.isValid() && reader.left() == 0
            && kind <= static_cast<std::uint32_t>(Outcome::Killed);
    }
};

// The guest's command line:
//   guest                         ends when its standard input does (StdinOnce containers)
//   guest --linger SECONDS        outlives its host: a run ends leaseSeconds after the host fell
//   silent,
//                                 the guest itself after SECONDS without a host
//   guest --spare SECONDS [PATH SPEC]
//                                 waits SECONDS for its only host and ends with it; begins with a
//                                 Prestart of the RunSpec in SPEC (hexadecimal) for the file PATH
// The host of a lingering guest sends some frame (Ping) at least every pingSeconds.
inline constexpr int leaseSeconds = 15;
inline constexpr int pingSeconds = 4;

} // namespace isol8::guest
