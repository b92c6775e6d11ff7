// SPDX-License-Identifier: MIT
#include "engine/images/download.h"

#include "engine/core/completion.h"
#include "engine/core/logging.h"

#include <QCryptographicHash>
#include <QFile>
#include <QNetworkAccessManager>
#include <QNetworkProxyFactory>
#include <QNetworkReply>
#include <QSslCertificate>
#include <QSslConfiguration>
#include <QTimer>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

/// Honours http_proxy and its like without changing the whole program's settings.
class SystemProxies : public QNetworkProxyFactory {
public:
    QList<QNetworkProxy> queryProxy(const QNetworkProxyQuery& query) override
    {
        return systemProxyForQuery(query);
    }
};

struct Transfer {
    explicit Transfer(const QString& path)
        : file(path)
    {
    }
    QFile file;
    QCryptographicHash hash { QCryptographicHash::Sha512 };
    Result<> state; ///< The first failure of our own side.
};

QNetworkRequest requestFor(const DownloadSpec& spec)
{
    QNetworkRequest request(spec.url);
    request.setTransferTimeout(spec.silence);
    request.setAttribute(QNetworkRequest::CookieLoadControlAttribute, QNetworkRequest::Manual);
    request.setRawHeader("Accept-Encoding", "identity");
    if (!spec.caBundle.isEmpty()) {
        auto tls = QSslConfiguration::defaultConfiguration();
        tls.addCaCertificates(QSslCertificate::fromData(spec.caBundle, QSsl::Pem));
        request.setSslConfiguration(tls);
    }
    return request;
}

/// A failure and whether another attempt may end better.
struct Outcome {
    Result<> result;
    bool isWorthAnother = false;
};

Outcome outcomeOf(const QNetworkReply& reply, const DownloadSpec& spec)
{
    const auto status = reply.attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    const auto where = spec.url.toDisplayString(QUrl::RemoveUserInfo | QUrl::RemoveQuery);
    if (reply.error() == QNetworkReply::NoError)
        return {};
    if (status == 404 || status == 410)
        return { failure(Kind::NotFound, u"%1 does not exist"_s.arg(where), status) };
    if (status == 401 || status == 403)
        return { failure(
            Kind::Denied, u"the server refuses %1 (HTTP %2)"_s.arg(where).arg(status), status) };
    if (status >= 400) {
        return { failure(Kind::Unreachable,
                     u"the server answers HTTP %1 for %2"_s.arg(status).arg(where), status),
            status >= 500 || status == 429 };
    }
    if (reply.error() == QNetworkReply::SslHandshakeFailedError) {
        return { failure(Kind::Denied,
            u"the TLS certificate of %1 is not trusted (%2); set network.caBundle to the PEM "
            "file of your network's certificate authority"_s.arg(
                spec.url.host(), reply.errorString())) };
    }
    return { failure(
                 Kind::Unreachable, u"cannot download %1: %2"_s.arg(where, reply.errorString())),
        true };
}

QCoro::Task<Outcome> fetchOnce(std::shared_ptr<QNetworkAccessManager> network, DownloadSpec spec,
    DownloadProgress progress, CancelToken cancel)
{
    const auto transfer = std::make_shared<Transfer>(spec.path);
    if (!transfer->file.open(QIODevice::WriteOnly | QIODevice::Truncate)) {
        co_return Outcome { failure(
            Kind::Limit, u"cannot write %1: %2"_s.arg(spec.path, transfer->file.errorString())) };
    }
    const std::shared_ptr<QNetworkReply> reply(
        network->get(requestFor(spec)), [](QNetworkReply* done) { done->deleteLater(); });
    auto* const raw = reply.get();
    const auto take = [raw, transfer, progress, maxBytes = spec.maxBytes] {
        if (!raw->isOpen())
            return;
        const auto bytes = raw->readAll();
        if (!transfer->state
            || raw->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt() != 200)
            return;
        transfer->hash.addData(bytes);
        if (transfer->file.pos() + bytes.size() > maxBytes)
            transfer->state
                = failure(Kind::Limit, u"the download is larger than %1 bytes"_s.arg(maxBytes));
        else if (transfer->file.write(bytes) != bytes.size())
            transfer->state = failure(Kind::Limit,
                u"cannot write %1: %2"_s.arg(
                    transfer->file.fileName(), transfer->file.errorString()));
        if (!transfer->state) {
            raw->abort();
            return;
        }
        // Qt's own signal leaves numbers out when they come fast.
        const auto total = raw->header(QNetworkRequest::ContentLengthHeader).toLongLong();
        if (progress)
            progress(transfer->file.pos(), total);
    };
    QObject::connect(raw, &QNetworkReply::readyRead, raw, take);
    const Completion<> finished;
    // Queued, so that nothing resumes within a call of the reply or of cancel().
    QObject::connect(
        raw, &QNetworkReply::finished, raw, [finished] { finished.deliver({}); },
        Qt::QueuedConnection);
    const auto registration = cancel.onCancel([raw] { raw->abort(); });
    co_await finished.wait();

    if (cancel.isCancelled())
        co_return Outcome { std::unexpected(cancelled()) };
    if (transfer->state)
        take();
    if (!transfer->state)
        co_return Outcome { transfer->state };
    auto outcome = outcomeOf(*raw, spec);
    if (!outcome.result)
        co_return outcome;
    // With `Connection: close` Qt takes a lost connection for the end.
    const auto announced = raw->header(QNetworkRequest::ContentLengthHeader);
    if (announced.isValid() && announced.toLongLong() != transfer->file.pos()) {
        co_return Outcome { failure(Kind::Unreachable,
                                u"the connection to %1 was lost"_s.arg(spec.url.host())),
            true };
    }
    if (!transfer->file.flush()) {
        co_return Outcome { failure(
            Kind::Limit, u"cannot write %1: %2"_s.arg(spec.path, transfer->file.errorString())) };
    }
    const auto integrity = "sha512-" + transfer->hash.result().toBase64();
    if (integrity != spec.integrity.toLatin1()) {
        co_return Outcome { failure(Kind::Denied,
            u"%1 is not what isol8 expects: its checksum is %2 instead of %3"_s.arg(
                spec.url.toDisplayString(QUrl::RemoveUserInfo), QString::fromLatin1(integrity),
                spec.integrity)) };
    }
    co_return Outcome {};
}

Task<> pauseFor(std::chrono::milliseconds time, CancelToken cancel)
{
    const Completion<> over;
    QTimer timer;
    timer.setSingleShot(true);
    QObject::connect(
        &timer, &QTimer::timeout, &timer, [over] { over.deliver({}); }, Qt::QueuedConnection);
    const auto registration = cancel.onCancel([&timer] { timer.start(0); });
    timer.start(time);
    co_await over.wait();
    if (cancel.isCancelled())
        co_return std::unexpected(cancelled());
    co_return {};
}

} // namespace

Task<> download(DownloadSpec spec, DownloadProgress progress, CancelToken cancel)
{
    const auto network = std::make_shared<QNetworkAccessManager>();
    network->setProxyFactory(new SystemProxies); // owned by the manager
    for (int attempt = 1;; ++attempt) {
        if (cancel.isCancelled())
            co_return std::unexpected(cancelled());
        const auto outcome = co_await fetchOnce(network, spec, progress, cancel);
        if (outcome.result)
            co_return {};
        QFile::remove(spec.path);
        if (!outcome.isWorthAnother || attempt >= spec.attempts)
            co_return outcome.result;
        qCInfo(logImages).noquote()
            << "attempt" << attempt << "failed:" << outcome.result.error().message;
        const auto paused = co_await pauseFor(spec.pause * attempt, cancel);
        if (!paused)
            co_return paused;
    }
}

} // namespace isol8
