// SPDX-License-Identifier: MIT
// Filtered networking: one big download through the proxy, small requests beside it, and one big
// upload.
#include "tests/bench/bench.h"

#include "engine/sandbox/dockerengine.h"

#include <QCoroTask>
#include <QFile>
#include <QTimer>

#include <atomic>
#include <thread>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

namespace isol8::bench {

using namespace Qt::StringLiterals;

namespace {

/// Answers every GET on 127.0.0.1 with `Content-Length: SIZE` zeros, SIZE being its path, and takes
/// every PUT of chunked zeros; in threads of its own, so that it takes nothing from the engine's
/// event loop.
class ZeroServer {
public:
    ZeroServer()
        : m_listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_in address {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* name = reinterpret_cast<sockaddr*>(&address);
        if (::bind(m_listener, name, size) == 0 && ::listen(m_listener, 64) == 0
            && ::getsockname(m_listener, name, &size) == 0)
            m_port = ntohs(address.sin_port);
        m_acceptor = std::thread([this] {
            for (int fd; (fd = ::accept(m_listener, nullptr, nullptr)) >= 0;)
                std::thread([fd] { serve(fd); }).detach();
        });
    }
    ~ZeroServer()
    {
        ::shutdown(m_listener, SHUT_RDWR);
        m_acceptor.join();
        ::close(m_listener);
    }
    Q_DISABLE_COPY_MOVE(ZeroServer)

    [[nodiscard]] quint16 port() const { return m_port; }

private:
    static void serve(int fd)
    {
        char request[4096];
        const auto size = ::recv(fd, request, sizeof request, 0);
        const QByteArray line(request, std::max<qsizetype>(0, size));
        if (line.startsWith("PUT")) {
            takeUpload(fd, line);
            return;
        }
        qint64 left = line.mid(5, line.indexOf(' ', 5) - 5).toLongLong();
        const auto head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "
            + QByteArray::number(left) + "\r\n\r\n";
        (void)::send(fd, head.constData(), size_t(head.size()), MSG_NOSIGNAL);
        const QByteArray zeros(256 << 10, '\0');
        while (left > 0) {
            const auto sent = ::send(
                fd, zeros.constData(), size_t(std::min<qint64>(left, zeros.size())), MSG_NOSIGNAL);
            if (sent <= 0)
                break;
            left -= sent;
        }
        ::close(fd);
    }

    static void takeUpload(int fd, QByteArray last)
    {
        QByteArray bytes(256 << 10, Qt::Uninitialized);
        while (!last.endsWith("\r\n0\r\n\r\n")) {
            const auto size = ::recv(fd, bytes.data(), size_t(bytes.size()), 0);
            if (size <= 0)
                break;
            last += QByteArrayView(bytes).first(size);
            last = last.last(std::min<qsizetype>(7, last.size()));
        }
        constexpr QByteArrayView answer
            = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        (void)::send(fd, answer.data(), size_t(answer.size()), MSG_NOSIGNAL);
        ::close(fd);
    }

    int m_listener;
    quint16 m_port = 0;
    std::thread m_acceptor;
};

/// Of this process, which is the engine's.
qint64 residentBytes()
{
    QFile file(u"/proc/self/statm"_s);
    return file.open(QIODevice::ReadOnly)
        ? file.readAll().split(' ').value(1).toLongLong() * ::sysconf(_SC_PAGESIZE)
        : 0;
}

} // namespace

void benchNetwork(Bench& bench)
{
    const auto endpoint = docker::resolveEndpoint();
    if (!endpoint) {
        bench.report.fail(endpoint.error().message);
        return;
    }
    const ZeroServer zeros;
    DockerEngineSettings settings;
    settings.stateDirectory = bench.folder.filePath(u"network"_s);
    DockerEngine engine(*endpoint, settings);
    ExecutionOptions options;
    options.network = NetworkMode::Filtered;
    options.networkFilter.allowAddresses = { u"127.0.0.1:%1"_s.arg(zeros.port()) };
    options.cpuLimit = 2;

    const qint64 size = bench.isShort ? 1 << 20 : 1LL << 30;
    const double reference = dockerInputRate(bench, std::min<qint64>(size, 200LL << 20));
    // Prints how long each of the small ones took that fell into the download's time, and the
    // download itself. One process asks for them all: to start one costs more than to ask.
    ExecutionRequest request;
    request.runtime = Runtime::Bash;
    request.timeout = std::chrono::minutes(5);
    request.command = uR"(url=http://127.0.0.1:%1
        curl -sS --rate 15/s -o /dev/null -w '%{stderr}%{time_total}\n' "$url/[2-9999]" \
            2> /tmp/small & small=$!
        curl -sS -o /dev/null -w '%{time_total} %{size_download}\n' $url/%2 > /tmp/big
        kill $small; wait $small; cat /tmp/small
        head -c %2 /dev/zero | curl -sS -T - -H Expect: -o /dev/null \
            -w '%{time_total} %{size_upload}\n' $url/
        cat /tmp/big)"_s.arg(zeros.port())
                          .arg(size);
    const auto before = residentBytes();
    const auto run = engine.start(request, options, {});
    std::optional<Result<ExecutionResult>> result;
    QObject::connect(run.get(), &Run::finished, run.get(),
        [&](const Result<ExecutionResult>& finished) { result = finished; });
    qint64 peak = before;
    QTimer sampler;
    QObject::connect(
        &sampler, &QTimer::timeout, &sampler, [&peak] { peak = std::max(peak, residentBytes()); });
    sampler.start(std::chrono::milliseconds(20));
    if (!waitFor(*run) || !*result || (*result)->exitCode != 0) {
        bench.report.fail(u"the download failed: "_s
            + (result && *result ? QString::fromUtf8((*result)->standardError) : u"no result"_s));
        return;
    }
    auto lines = (*result)->standardOutput.trimmed().split('\n');
    const auto big = lines.takeLast().split(' ');
    if (big.value(1).toLongLong() != size)
        bench.report.fail(u"%1 bytes came of %2"_s.arg(big.value(1).toLongLong()).arg(size));
    const auto upload = lines.isEmpty() ? QByteArrayList() : lines.takeLast().split(' ');
    if (upload.value(1).toLongLong() < size) // The chunks' heads are counted too.
        bench.report.fail(u"%1 bytes went of %2"_s.arg(upload.value(1).toLongLong()).arg(size));
    Samples small;
    for (const auto& line : std::as_const(lines))
        small.add(line.toDouble() * 1e3);
    Report::Row rate { u"download through the filter"_s,
        double(size) / big.constFirst().toDouble() / 1e6, u"MB/s"_s, u"docker run -i"_s, reference,
        u"≥ 150"_s };
    rate.isReached = rate.value >= 150;
    bench.report.add(rate);
    bench.report.add({ u"small request beside it, p50"_s, small.median(), u"ms"_s });
    Report::Row slowest { u"small request beside it, p95"_s, small.quantile(0.95), u"ms"_s, {}, 0,
        u"≤ 50 ms"_s };
    slowest.isReached = slowest.value <= 50;
    bench.report.add(slowest);
    const double uploadTime = upload.value(0).toDouble();
    bench.report.add(
        { u"upload through the filter"_s, double(size) / uploadTime / 1e6, u"MB/s"_s });
    Report::Row grown { u"memory that both take"_s, double(peak - before) / (1 << 20), u"MB"_s };
    bench.report.add(grown);
    (void)QCoro::waitFor(engine.shutdown());
}

} // namespace isol8::bench
