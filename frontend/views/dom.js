/** Typed access to the page's elements: find, clone templates, set texts. */

/** @template {Element} T @param {string} id @param {new () => T} type @returns {T} */
export function element(id, type) {
	const found = document.getElementById(id);
	if (!(found instanceof type)) throw new Error(`#${id} is not a ${type.name}`);
	return found;
}

/** @template {Element} T @param {ParentNode} root @param {string} selector @param {new () => T} type @returns {T} */
export function part(root, selector, type) {
	const found = root.querySelector(selector);
	if (!(found instanceof type)) throw new Error(`${selector} is not a ${type.name}`);
	return found;
}

/** @template {HTMLElement} T @param {string} template @param {new () => T} type @returns {T} */
export function cloneTemplate(template, type) {
	const made = element(template, HTMLTemplateElement).content.firstElementChild?.cloneNode(true);
	if (!(made instanceof type)) throw new Error(`#${template} does not hold a ${type.name}`);
	return made;
}

/** Set texts by selector. Unchanged texts are not set, because a live region would read them again.
 * @param {Element} root @param {Record<string, string>} texts */
export function setTexts(root, texts) {
	for (const [selector, words] of Object.entries(texts)) {
		const found = root.querySelector(selector);
		if (found && found.textContent !== words) found.textContent = words;
	}
}

/** The event's target or its closest ancestor that matches.
 * @template {Element} T @param {Event} event @param {string} selector @param {new () => T} type @returns {T | undefined} */
export function closest({ target }, selector, type) {
	const found = target instanceof Element ? target.closest(selector) : undefined;
	return found instanceof type ? found : undefined;
}

/** A new element with its properties and children.
 * @template {keyof HTMLElementTagNameMap} Name @param {Name} name
 * @param {Readonly<Record<string, unknown>>} [properties] @param {(Node | string)[]} children */
export function make(name, properties = {}, ...children) {
	const made = Object.assign(document.createElement(name), properties);
	made.append(...children);
	return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** An icon from the end of index.html. @param {string} name */
export function icon(name) {
	const [svg, use] = [document.createElementNS(SVG, "svg"), document.createElementNS(SVG, "use")];
	use.setAttribute("href", `#i-${name}`);
	svg.append(use);
	return svg;
}
