// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QString>

#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace isol8::tests {

/// The receiving end of a service manager.
class FakeManager {
public:
    /// @p name: a path, or `@` and an abstract name.
    explicit FakeManager(const QByteArray& name)
        : m_name(name)
        , m_descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))
    {
        sockaddr_un address {};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.constData(), size_t(name.size()));
        if (name.startsWith('@'))
            address.sun_path[0] = '\0';
        const auto length = socklen_t(offsetof(sockaddr_un, sun_path) + size_t(name.size()));
        if (::bind(m_descriptor, reinterpret_cast<const sockaddr*>(&address), length) != 0)
            qFatal("bind: %s", qPrintable(qt_error_string()));
    }
    ~FakeManager() { ::close(m_descriptor); }
    Q_DISABLE_COPY_MOVE(FakeManager)

    /// For NOTIFY_SOCKET.
    [[nodiscard]] QByteArray name() const { return m_name; }
    /// The next message; empty when there is none.
    [[nodiscard]] QByteArray message()
    {
        QByteArray text(4096, '\0');
        const auto got = ::recv(m_descriptor, text.data(), size_t(text.size()), 0);
        return got < 0 ? QByteArray() : text.first(got);
    }

private:
    QByteArray m_name;
    int m_descriptor;
};

} // namespace isol8::tests
