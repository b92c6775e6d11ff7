// SPDX-License-Identifier: MIT
#include "tests/engine/guest/rawguest.h"

#include "tests/engine/guest/scriptedguest.h"

namespace isol8::test {

using guest::Type;

RawGuest::RawGuest(const QStringList& arguments)
    : process(arguments)
{
    QObject::connect(&process, &GuestTransport::received, &process,
        [this](const QByteArray& bytes) { answer += bytes; });
    QObject::connect(&process, &GuestTransport::closed, &process,
        [this](const Error& error) { ended = error.message; });
}

QByteArray RawGuest::hello()
{
    return ScriptedTransport::frame(Type::Hello, 0,
        ScriptedTransport::u32(guest::protocolVersion) + QByteArray(guest::nonceBytes, 'n'));
}

QByteArray RawGuest::startFrames(quint32 id, const QByteArray& script, quint32 flags)
{
    const auto text = [](const QByteArray& bytes) {
        return ScriptedTransport::u32(quint32(bytes.size())) + bytes;
    };
    const auto spec = ScriptedTransport::u32(flags) + ScriptedTransport::u32(0) + text("/sandbox")
        + ScriptedTransport::u32(3) + text("sh") + text("-c") + text(script)
        + ScriptedTransport::u32(1) + text("PATH=/usr/bin");
    return ScriptedTransport::frame(Type::Spec, id, spec)
        + ScriptedTransport::frame(Type::Start, id, QByteArray(8, 0));
}

} // namespace isol8::test
