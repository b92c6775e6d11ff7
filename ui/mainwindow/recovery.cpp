// SPDX-License-Identifier: MIT
#include "ui/mainwindow/recovery.h"

#include "engine/core/smallfile.h"
#include "ui/editor/editortabs.h"

#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr std::chrono::milliseconds writeDelay { 1000 };
constexpr qint64 maxFileBytes = 256LL << 20;
constexpr qsizetype maxTextCharacters = 16 << 20;

} // namespace

Recovery::Recovery(const QString& path, EditorTabs* tabs, QObject* parent)
    : QObject(parent)
    , m_path(path)
    , m_tabs(tabs)
{
    m_timer.setSingleShot(true);
    m_timer.setInterval(writeDelay);
    connect(&m_timer, &QTimer::timeout, this, [this] { write(Texts::Keep); });
    const auto schedule = [this] {
        if (!m_timer.isActive() && !m_isFinished)
            m_timer.start();
    };
    connect(tabs, &EditorTabs::pageChanged, this, schedule);
    connect(tabs, &EditorTabs::currentPageChanged, this, schedule);
}

void Recovery::write(Texts texts)
{
    QJsonArray pages;
    for (auto* page : m_tabs->pages()) {
        QJsonObject object { { u"path"_s, page->path() }, { u"title"_s, page->title() },
            { u"line"_s, page->editor()->textCursor().blockNumber() + 1 },
            { u"isCurrent"_s, page == m_tabs->currentPage() } };
        const bool isKept = page->isModified() && texts == Texts::Keep;
        const auto text = isKept ? page->text() : QString();
        const bool hasText = isKept && text.size() <= maxTextCharacters;
        if (hasText) {
            object.insert(u"text"_s, text);
            object.insert(u"language"_s, page->editor()->definition().name());
        }
        if (hasText || !page->path().isEmpty())
            pages << object;
    }
    QSaveFile file(m_path);
    if (!file.open(QIODevice::WriteOnly))
        return;
    file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner);
    file.write(QJsonDocument(QJsonObject { { u"pages"_s, pages } }).toJson(QJsonDocument::Compact));
    file.commit();
}

bool Recovery::restore()
{
    const auto bytes = readSmallFile(m_path, maxFileBytes);
    if (!bytes)
        return false;
    EditorPage* current = nullptr;
    bool isAnything = false;
    const auto pages = QJsonDocument::fromJson(*bytes)[u"pages"].toArray();
    for (const auto& value : pages) {
        const auto object = value.toObject();
        const auto path = object[u"path"].toString();
        EditorPage* page = nullptr;
        if (object.contains(u"text"_s)) {
            page = m_tabs->restore(path, object[u"title"].toString(), object[u"text"].toString());
            if (path.isEmpty())
                page->setLanguage(object[u"language"].toString());
        } else if (QFileInfo(path).isFile()) {
            page = m_tabs->open(path);
        }
        if (!page)
            continue;
        isAnything = true;
        page->editor()->goToLine(object[u"line"].toInt(1));
        if (object[u"isCurrent"].toBool())
            current = page;
    }
    if (current)
        m_tabs->setCurrentWidget(current);
    return isAnything;
}

void Recovery::finish()
{
    m_isFinished = true;
    m_timer.stop();
    write(Texts::Leave);
}

} // namespace isol8::ui
