// SPDX-License-Identifier: MIT
#include "ui/targets/keystore.h"

#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>

#include <qt6keychain/keychain.h>

#include <unistd.h>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

const auto service = u"isol8"_s;
constexpr qint64 maxFileBytes = 1 << 20;

} // namespace

KeyStore::KeyStore(const QString& filePath, Backend backend)
    : m_filePath(filePath)
    , m_backend(backend)
{
}

bool KeyStore::hasDesktop() const
{
    return m_backend == Backend::Desktop && QKeychain::isAvailable();
}

QMap<QString, QString> KeyStore::readFile() const
{
    QMap<QString, QString> keys;
    const QFileInfo info(m_filePath);
    // Not one that somebody else put there.
    if (info.isSymLink() || info.ownerId() != ::geteuid() || info.size() > maxFileBytes)
        return keys;
    QFile file(m_filePath);
    if (!file.open(QIODevice::ReadOnly))
        return keys;
    const auto object = QJsonDocument::fromJson(file.readAll()).object();
    for (auto it = object.begin(); it != object.end(); ++it)
        keys.insert(it.key(), it->toString());
    return keys;
}

Result<> KeyStore::writeFile(const QMap<QString, QString>& keys) const
{
    QJsonObject object;
    for (const auto& [id, key] : keys.asKeyValueRange())
        object.insert(id, key);
    if (QFileInfo(m_filePath).isSymLink())
        QFile::remove(m_filePath);
    QSaveFile file(m_filePath);
    if (!file.open(QIODevice::WriteOnly)
        || !file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner)
        || file.write(QJsonDocument(object).toJson()) < 0 || !file.commit())
        return failure(Kind::Denied, m_filePath + u": "_s + file.errorString());
    return {};
}

Result<QString> KeyStore::findInFile(const QString& id) const
{
    const auto keys = readFile();
    const auto found = keys.constFind(id);
    if (found == keys.constEnd())
        return failure(Kind::NotFound, tr("There is no key for this server"));
    return *found;
}

Result<KeyStore::Place> KeyStore::keepInFile(const QString& id, const QString& key) const
{
    auto keys = readFile();
    keys.insert(id, key);
    if (const auto written = writeFile(keys); !written)
        return std::unexpected(written.error());
    return Place::File;
}

void KeyStore::find(const QString& id, std::function<void(const Result<QString>&)> done)
{
    if (!hasDesktop()) {
        QMetaObject::invokeMethod(
            this, [this, id, done] { done(findInFile(id)); }, Qt::QueuedConnection);
        return;
    }
    auto* job = new QKeychain::ReadPasswordJob(service, this);
    job->setKey(id);
    connect(job, &QKeychain::Job::finished, this, [this, job, id, done] {
        if (job->error() == QKeychain::NoError)
            done(job->textData());
        else
            done(findInFile(id));
    });
    job->start();
}

void KeyStore::keep(
    const QString& id, const QString& key, std::function<void(const Result<Place>&)> done)
{
    const auto tell = [this, id, done](const Result<Place>& place) {
        done(place);
        if (place)
            Q_EMIT kept(id);
    };
    if (!hasDesktop()) {
        QMetaObject::invokeMethod(
            this, [this, id, key, tell] { tell(keepInFile(id, key)); }, Qt::QueuedConnection);
        return;
    }
    auto* job = new QKeychain::WritePasswordJob(service, this);
    job->setKey(id);
    job->setTextData(key);
    connect(job, &QKeychain::Job::finished, this, [this, job, id, key, tell] {
        if (job->error() != QKeychain::NoError) {
            tell(keepInFile(id, key));
            return;
        }
        auto keys = readFile();
        if (keys.remove(id) > 0)
            (void)writeFile(keys);
        tell(Place::Desktop);
    });
    job->start();
}

void KeyStore::remove(const QString& id)
{
    auto keys = readFile();
    if (keys.remove(id) > 0)
        (void)writeFile(keys);
    if (!hasDesktop())
        return;
    auto* job = new QKeychain::DeletePasswordJob(service, this);
    job->setKey(id);
    job->start();
}

} // namespace isol8::ui
