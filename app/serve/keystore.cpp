// SPDX-License-Identifier: MIT
#include "app/serve/keystore.h"

#include "app/serve/keydatabase.h"
#include "engine/core/completion.h"
#include "engine/core/logging.h"

#include <QCryptographicHash>
#include <QRandomGenerator>
#include <QThread>
#include <QTimer>
#include <QUuid>

#include <atomic>
#include <cmath>
#include <map>

namespace isol8::serve {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

/// More than the database's own time limits, so that a call normally ends with their reason.
constexpr auto callTimeout = 15s;
constexpr auto closeTimeout = 10s;
constexpr size_t maxCalls = 1000;
constexpr qsizetype maxTextLength = 128;
constexpr qsizetype keyWords = 8; ///< Of 32 bits.
constexpr char keyPrefix[] = "isol8_";

/// 256 random bits in base64url behind a prefix by which leaked keys can be searched for.
QByteArray randomKey()
{
    std::array<quint32, keyWords> words {};
    QRandomGenerator::system()->fillRange(words.data(), keyWords);
    const QByteArray bytes(reinterpret_cast<const char*>(words.data()), sizeof(words));
    return keyPrefix
        + bytes.toBase64(QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals);
}

QByteArray hashOf(const QByteArray& key)
{
    return QCryptographicHash::hash(key, QCryptographicHash::Sha256).toHex();
}

std::unexpected<Error> invalid(const QString& message)
{
    return failure(Kind::Invalid, message, 400);
}

Result<> checkText(const QString& what, const QString& text)
{
    const bool isPlain = text.isValidUtf16() && std::ranges::none_of(text, [](QChar each) {
        return each.category() == QChar::Other_Control;
    });
    if (text.size() > maxTextLength || !isPlain)
        return invalid(
            u"%1 must have at most %2 characters, none of them a control character"_s.arg(what).arg(
                maxTextLength));
    return {};
}

/// What a client is told; the reason is the operator's to read.
Error notAnswering()
{
    return { Kind::Unreachable, u"the key database does not answer"_s, 503 };
}

Error forClient(const Error& error)
{
    if (error.kind != Kind::Unreachable)
        return error;
    qCWarning(logServe).noquote() << error.message;
    return notAnswering();
}

template <typename T> Task<T> finished(Result<T> result)
{
    co_return result;
}

enum class Audience { Client, Operator };

} // namespace

/// Lives on the caller's thread, but for the database, which only the store's thread touches.
struct KeyStore::State {
    std::unique_ptr<QThread> thread = std::make_unique<QThread>();
    std::unique_ptr<QObject> worker = std::make_unique<QObject>(); ///< Of that thread.
    std::unique_ptr<QObject> home = std::make_unique<QObject>(); ///< Where answers come back to.
    std::shared_ptr<KeyDatabase> database;
    /// Work that was not begun when this is set is left.
    std::shared_ptr<std::atomic_bool> isClosing = std::make_shared<std::atomic_bool>(false);
    std::map<quint64, std::function<void()>> calls; ///< Fails each one that is under way.
    quint64 nextCall = 1;
    QTimer expiryTimer;
    bool isRemovingExpired = false;

    explicit State(KeyStoreLocation location)
        : database(std::make_shared<KeyDatabase>(std::move(location)))
    {
        thread->setObjectName(u"isol8-keys"_s);
        worker->moveToThread(thread.get());
        thread->start();
    }

    void close();
};

void KeyStore::State::close()
{
    if (!thread)
        return;
    expiryTimer.stop();
    isClosing->store(true);
    // The connection belongs to the thread that made it, so it ends there.
    QMetaObject::invokeMethod(worker.get(), [kept = std::exchange(database, nullptr)]() mutable {
        kept.reset();
        QThread::currentThread()->quit();
    });
    if (!thread->wait(closeTimeout)) {
        // It hangs in a call of the database's driver, which nothing can end.
        qCWarning(logServe) << "The key database does not answer; its connection is left open.";
        static_cast<void>(worker.release());
        static_cast<void>(thread.release());
        static_cast<void>(home.release());
    }
    worker.reset();
    thread.reset();
    const auto left = std::exchange(calls, {});
    for (const auto& [number, fail] : left)
        fail();
}

namespace {

using StatePointer = std::shared_ptr<KeyStore::State>;

/// Does @p work on the store's thread.
template <typename T>
Task<T> call(StatePointer state, std::function<Result<T>(KeyDatabase&)> work,
    Audience audience = Audience::Client)
{
    if (!state->thread || state->calls.size() >= maxCalls)
        co_return std::unexpected(notAnswering());
    const Completion<T> done;
    const quint64 number = state->nextCall++;
    state->calls.emplace(number, [done] { done.fail(cancelled()); });
    QMetaObject::invokeMethod(state->worker.get(),
        [work = std::move(work), database = std::weak_ptr(state->database),
            isClosing = state->isClosing, home = state->home.get(), done] {
            // Held by nobody else when the store is being closed; home outlives this thread.
            const auto held = database.lock();
            if (!held || isClosing->load())
                return;
            auto result = work(*held);
            QMetaObject::invokeMethod(
                home, [done, result = std::move(result)] { done.deliver(result); });
        });
    QTimer timer;
    timer.setSingleShot(true);
    QObject::connect(
        &timer, &QTimer::timeout, state->home.get(), [done] { done.fail(notAnswering()); },
        Qt::QueuedConnection);
    timer.start(callTimeout);
    const auto result = co_await done.wait();
    state->calls.erase(number);
    if (!result && audience == Audience::Client)
        co_return std::unexpected(forClient(result.error()));
    co_return result;
}

Task<NewKey> createKey(
    StatePointer state, QString name, QString tenant, std::chrono::milliseconds ttl)
{
    const auto created = QDateTime::currentDateTimeUtc();
    const NewKey made { { QUuid::createUuid().toString(QUuid::WithoutBraces), name, tenant, created,
                            created.addDuration(ttl) },
        randomKey() };
    const auto inserted = co_await call<void>(
        state, [record = made.record, hash = hashOf(made.key)](KeyDatabase& database) {
            return database.insert(record, hash);
        });
    if (!inserted)
        co_return std::unexpected(inserted.error());
    co_return made;
}

/// Keeps the state alive, and one removal at a time.
Task<int> removeExpiredOnce(StatePointer state)
{
    if (std::exchange(state->isRemovingExpired, true))
        co_return 0;
    const auto removed
        = co_await call<int>(state, [](KeyDatabase& database) { return database.removeExpired(); });
    state->isRemovingExpired = false;
    co_return removed;
}

} // namespace

/// The coroutine behind open().
struct KeyStore::Steps {
    static Task<std::shared_ptr<KeyStore>> open(KeyStoreLocation location)
    {
        // Whatever happens, the store's end also ends its thread.
        const std::shared_ptr<KeyStore> store(
            new KeyStore(std::make_shared<State>(std::move(location))));
        const auto opened = co_await call<void>(
            store->m_state, [](KeyDatabase& database) { return database.open(); },
            Audience::Operator);
        if (!opened)
            co_return std::unexpected(opened.error());
        co_return store;
    }
};

KeyStore::KeyStore(std::shared_ptr<State> state)
    : m_state(std::move(state))
{
}

KeyStore::~KeyStore()
{
    m_state->close();
}

Task<std::shared_ptr<KeyStore>> KeyStore::open(QString location)
{
    const auto parsed = keyStoreLocation(location);
    if (!parsed)
        return finished<std::shared_ptr<KeyStore>>(std::unexpected(parsed.error()));
    return Steps::open(*parsed);
}

Task<NewKey> KeyStore::create(QString name, QString tenant, std::chrono::milliseconds ttl)
{
    for (const auto& valid : { checkText(u"name"_s, name), checkText(u"tenantId"_s, tenant) }) {
        if (!valid)
            return finished<NewKey>(std::unexpected(valid.error()));
    }
    const auto checkedTtl = keyTtl(double(ttl.count()));
    if (!checkedTtl)
        return finished<NewKey>(std::unexpected(checkedTtl.error()));
    return createKey(m_state, name, tenant.isEmpty() ? u"default"_s : tenant, *checkedTtl);
}

Task<std::optional<KeyRecord>> KeyStore::find(QByteArray key)
{
    return call<std::optional<KeyRecord>>(
        m_state, [hash = hashOf(key)](KeyDatabase& database) { return database.find(hash); });
}

Task<QList<KeyRecord>> KeyStore::list(std::optional<QString> tenant)
{
    return call<QList<KeyRecord>>(
        m_state, [tenant](KeyDatabase& database) { return database.list(tenant); });
}

Task<bool> KeyStore::remove(QString id)
{
    if (QUuid::fromString(id).toString(QUuid::WithoutBraces) != id)
        return finished<bool>(false);
    return call<bool>(m_state, [id](KeyDatabase& database) { return database.remove(id); });
}

Task<int> KeyStore::removeExpired()
{
    return call<int>(m_state, [](KeyDatabase& database) { return database.removeExpired(); });
}

void KeyStore::removeExpiredEvery(std::chrono::milliseconds interval)
{
    auto& timer = m_state->expiryTimer;
    timer.disconnect();
    QObject::connect(
        &timer, &QTimer::timeout, m_state->home.get(), [state = std::weak_ptr(m_state)] {
            if (const auto strong = state.lock())
                removeExpiredOnce(strong);
        });
    timer.start(interval);
}

Result<std::chrono::milliseconds> keyTtl(double milliseconds)
{
    // NaN fails every comparison.
    const bool isInRange = milliseconds >= 1 && milliseconds <= double(maxKeyTtl.count());
    if (!isInRange || milliseconds != std::floor(milliseconds))
        return invalid(
            u"ttlMs must be a whole number from 1 to %1"_s.arg(qint64(maxKeyTtl.count())));
    return std::chrono::milliseconds(qint64(milliseconds));
}

} // namespace isol8::serve
