// SPDX-License-Identifier: MIT
#include "tests/support/dockergate.h"

#include "engine/docker/endpoint.h"

#include <algorithm>

namespace isol8::tests {

using namespace Qt::StringLiterals;

/// One connection to the gate, and the one behind it. Goes with the first that closes.
class DockerGate::Passage : public QObject {
public:
    Passage(DockerGate& gate, QLocalSocket* client)
        : QObject(&gate)
        , m_gate(gate)
        , m_client(client)
    {
        m_client->setParent(this);
        connect(m_client, &QLocalSocket::readyRead, this, &Passage::readClient);
        connect(&m_daemon, &QLocalSocket::readyRead, this,
            [this] { m_client->write(m_daemon.readAll()); });
        connect(m_client, &QLocalSocket::disconnected, this, &Passage::end);
        connect(&m_daemon, &QLocalSocket::disconnected, this, &Passage::end);
        m_daemon.connectToServer(gate.m_daemonPath);
    }

private:
    void end()
    {
        m_client->disconnect(this);
        m_daemon.disconnect(this);
        m_client->flush();
        m_client->disconnectFromServer();
        m_daemon.disconnectFromServer();
        deleteLater();
    }

    void readClient()
    {
        m_input += m_client->readAll();
        while (!m_input.isEmpty()) {
            if (m_isRaw || m_bodyLeft > 0) {
                const auto size
                    = m_isRaw ? m_input.size() : std::min<qint64>(m_bodyLeft, m_input.size());
                if (m_answer.isEmpty())
                    m_daemon.write(m_input.first(size));
                m_input.remove(0, size);
                m_bodyLeft -= m_isRaw ? 0 : size;
            } else if (!readHead()) {
                return;
            }
            if (!m_isRaw && m_bodyLeft == 0 && !m_answer.isEmpty())
                m_client->write(std::exchange(m_answer, {}));
        }
    }

    /// False when it is not all there.
    bool readHead()
    {
        const auto size = m_input.indexOf("\r\n\r\n") + 4;
        if (size < 4)
            return false;
        const auto head = m_input.first(size);
        const auto lower = head.toLower();
        const auto words = head.first(head.indexOf("\r\n")).split(' ');
        const auto length = lower.indexOf("\r\ncontent-length:");
        m_bodyLeft = length < 0
            ? 0
            : head.mid(length + 17, head.indexOf('\r', length + 2) - length - 17)
                  .trimmed()
                  .toLongLong();
        // What comes then has no requests in it that could be told apart.
        m_isRaw = lower.contains("\r\nupgrade:") || lower.contains("\r\ntransfer-encoding:");
        m_answer = m_gate.faultFor(words.value(0), words.value(1));
        if (m_answer.isEmpty())
            m_daemon.write(head);
        m_input.remove(0, size);
        return true;
    }

    DockerGate& m_gate;
    QLocalSocket* m_client;
    QLocalSocket m_daemon;
    QByteArray m_input;
    QByteArray m_answer; ///< Given at the end of the request that came last.
    qint64 m_bodyLeft = 0;
    bool m_isRaw = false;
};

DockerGate::DockerGate()
{
    // Now: DOCKER_HOST may be the gate itself later.
    const auto endpoint = docker::resolveEndpoint();
    if (!endpoint || endpoint->transport != docker::Endpoint::Transport::Local)
        qFatal("the gate needs a Docker behind a local socket");
    m_daemonPath = endpoint->socketPath;
    connect(&m_server, &QLocalServer::newConnection, this, &DockerGate::accept);
    if (!m_server.listen(m_folder.filePath(u"docker.sock"_s)))
        qFatal("the gate cannot listen");
}

DockerGate::~DockerGate() = default;

void DockerGate::accept()
{
    while (auto* const client = m_server.nextPendingConnection())
        new Passage(*this, client); // Owned by the gate.
}

void DockerGate::fail(
    const QByteArray& verb, const QString& target, int times, int status, const QByteArray& message)
{
    answer(verb, target, times, status, R"({"message":")" + message + R"("})");
}

void DockerGate::answer(
    const QByteArray& verb, const QString& target, int times, int status, const QByteArray& json)
{
    m_faults.push_back({ verb, QRegularExpression(target), times,
        "HTTP/1.1 " + QByteArray::number(status) + " Said\r\n"
            + (status == 204 ? QByteArray()
                             : "Content-Type: application/json\r\nContent-Length: "
                        + QByteArray::number(json.size()) + "\r\n")
            + "\r\n" + json });
}

QByteArray DockerGate::faultFor(const QByteArray& verb, const QByteArray& target)
{
    m_requests << verb + ' ' + target;
    for (auto& fault : m_faults) {
        if (fault.times > 0 && fault.verb == verb
            && fault.target.match(QString::fromLatin1(target)).hasMatch()) {
            --fault.times;
            ++m_failed;
            return fault.answer;
        }
    }
    return {};
}

DockerHost::DockerHost(const QString& url)
    : m_before(qgetenv("DOCKER_HOST"))
{
    qputenv("DOCKER_HOST", url.toUtf8());
}

DockerHost::~DockerHost()
{
    if (m_before.isNull())
        qunsetenv("DOCKER_HOST");
    else
        qputenv("DOCKER_HOST", m_before);
}

} // namespace isol8::tests
