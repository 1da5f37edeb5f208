/**
 * What a customer has typed and chosen but not sent, kept by his own browser, so that neither a
 * lost session nor a lost network nor a closed tab costs him anything. Photos are kept too, which
 * is why it is a database and not the local storage. Where the browser keeps nothing (private
 * windows), there are simply no drafts.
 */
const DATABASE = "crm_portal";
const STORE = "drafts";
const KEPT = 7 * 24 * 3600 * 1000; // milliseconds

function open() {
    return new Promise((resolve, reject) => {
        const request = window.indexedDB.open(DATABASE, 1);
        request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
        request.onblocked = () => reject(new Error("blocked"));
    });
}

async function run(mode, action) {
    const database = await open();
    try {
        return await new Promise((resolve, reject) => {
            const transaction = database.transaction(STORE, mode);
            const request = action(transaction.objectStore(STORE));
            transaction.oncomplete = () => resolve(request.result);
            transaction.onerror = () => reject(transaction.error);
            transaction.onabort = () => reject(transaction.error);
        });
    } finally {
        database.close();
    }
}

/**
 * @param {string} key
 * @param {{values: [string, string][], files: File[]}} draft
 * @returns {Promise<boolean>} whether it could be kept
 */
export async function saveDraft(key, draft) {
    try {
        await run("readwrite", (store) => store.put({ ...draft, key, date: Date.now() }));
        return true;
    } catch {
        return false;
    }
}

/** @returns {Promise<{values: [string, string][], files: File[]}|undefined>} */
export async function loadDraft(key) {
    try {
        const drafts = await run("readonly", (store) => store.getAll());
        for (const draft of drafts) {
            if (Date.now() - draft.date > KEPT) {
                await deleteDraft(draft.key);
            } else if (draft.key === key) {
                return draft;
            }
        }
    } catch {
        // nothing is kept here
    }
}

export async function deleteDraft(key) {
    try {
        await run("readwrite", (store) => store.delete(key));
    } catch {
        // nothing was kept here
    }
}
