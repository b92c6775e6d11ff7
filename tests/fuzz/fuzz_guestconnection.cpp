// SPDX-License-Identifier: MIT
// The host's side, with a run, its connections and file operations open, hears arbitrary bytes
// after the greeting: it may end the conversation, and nothing else. The first byte says how the
// rest is cut; two of its values offer a direct socket first, and the bytes come as the answer to
// that, on the attached stream or on the socket.
#include "engine/sandbox/directsocket.h"
#include "engine/sandbox/guestconnection.h"
#include "tests/engine/guest/scriptedguest.h"
#include "tests/engine/sandbox/directclient.h"

#include <QCoreApplication>
#include <QCoroTask>
#include <QDir>
#include <QTemporaryDir>

#include <cstdlib>

using namespace isol8;
using namespace isol8::test;

namespace {

template <typename T> QCoro::Task<> forget(Task<T> task)
{
    (void)co_await task;
}

/// More than this for one input would be memory that a guest can make grow.
constexpr qint64 maxWrittenBytes = 1 << 20;

constexpr std::uint8_t answeredOnSocket = 100;
constexpr std::uint8_t answeredAttached = 101;

void say(ScriptedTransport* guest, DirectClient* direct, const QByteArray& bytes)
{
    if (!direct) {
        guest->say(bytes);
        return;
    }
    (void)direct->say(bytes);
    QCoreApplication::processEvents();
    (void)direct->hear();
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments)
{
    static QCoreApplication application(*count, *arguments);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const qsizetype pieceBytes = 1 + data[0] * 17;
    const QByteArray bytes(
        reinterpret_cast<const char*>(data) + 1, static_cast<qsizetype>(size) - 1);

    auto transport = std::make_unique<ScriptedTransport>();
    const QPointer<ScriptedTransport> guest = transport.get();
    auto connection = std::make_unique<GuestConnection>(std::move(transport));
    const bool isOffered = data[0] == answeredOnSocket || data[0] == answeredAttached;
    static const QTemporaryDir base;
    QString folder;
    if (isOffered) {
        auto socket = DirectSocket::make(base.path(), /*isLasting=*/false);
        folder = (*socket)->folder();
        connection->offer(std::move(*socket));
    }
    forget(connection->open(false, false, {}));
    QCoreApplication::processEvents();
    guest->greet();
    QCoreApplication::processEvents();
    std::unique_ptr<DirectClient> direct;
    if (data[0] == answeredOnSocket) {
        direct = std::make_unique<DirectClient>(folder);
        (void)direct->say(guest->lastFrame(guest::Type::Connect).payload);
        while (!direct->takeSocket())
            QCoreApplication::processEvents();
    }
    if (isOffered && size > guest::headerBytes + 4) {
        // The answer, so that what follows may be a conversation.
        say(guest, direct.get(), bytes.first(guest::headerBytes + 4));
        QCoreApplication::processEvents();
    } else if (!connection->isOpen() && folder.isEmpty()) {
        std::abort();
    }

    GuestRunSpec spec;
    spec.arguments = { "true" };
    spec.isStdinOpen = true;
    spec.areConnectionsCarried = true;
    const auto run = connection->startRun(spec); // id 1
    run->writeStdin(QByteArray(1000, 'i'));
    std::vector<std::unique_ptr<ByteStream>> carried;
    QObject::connect(run.get(), &GuestRun::connectionOpened, run.get(), [&] {
        while (auto one = run->takeConnection()) {
            one->setReading(carried.size() % 2 == 0);
            one->write(QByteArray(1000, 'c'));
            if (carried.size() % 3 == 0)
                one->finishWriting();
            carried.push_back(std::move(one));
        }
    });
    forget(connection->putFile("put", QByteArray(1000, 'p'), 0644, {}));
    forget(connection->fetchFile("get", 1000, {}));
    forget(connection->listDirectory("list", {}));
    forget(connection->scrub({}));
    QCoreApplication::processEvents();

    for (qsizetype at = folder.isEmpty() ? 0 : guest::headerBytes + 4;
        at < bytes.size() && guest && !guest->isClosed(); at += pieceBytes)
        say(guest, direct.get(), bytes.mid(at, pieceBytes));
    QCoreApplication::processEvents();
    if (guest && guest->written().size() > maxWrittenBytes)
        std::abort();
    connection.reset();
    if (!QDir(base.path()).isEmpty())
        std::abort();
    carried.clear();
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    return 0;
}
